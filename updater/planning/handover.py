"""Plans that were made to filter a fleet, for the round that follows: in a cycle nobody is planned twice."""

from __future__ import annotations

from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.planning.plans import ApplicationPlan, PlanOptions

MAX_PLANS = 100_000
"""Those that no round has taken; beyond it everything is forgotten, and planned again."""


class PlanHandover:
    """Each plan is taken once, and only for the very snapshot and options that it was made of.

    Thread-safe: every step is one atomic dictionary operation.
    """

    def __init__(self, *, max_plans: int = MAX_PLANS) -> None:
        self._max_plans = max_plans
        self._plans: dict[ApplicationKey, tuple[ApplicationSnapshot, PlanOptions, ApplicationPlan]] = {}

    def put(self, snapshot: ApplicationSnapshot, options: PlanOptions, plan: ApplicationPlan) -> None:
        """Keep a plan until it is taken or another of the same Application comes."""
        if len(self._plans) >= self._max_plans:
            self._plans.clear()
        self._plans[snapshot.key] = (snapshot, options, plan)

    def take(self, snapshot: ApplicationSnapshot, options: PlanOptions) -> ApplicationPlan | None:
        """The plan, None when there is none for just this."""
        held = self._plans.pop(snapshot.key, None)
        if held is None or held[0] is not snapshot or held[1] is not options:
            return None
        return held[2]
