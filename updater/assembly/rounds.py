"""Rounds: an engine for each, over what the process remembers, with the files and facts that hold at the moment."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.argocd.client import ArgoCDClient
from updater.argocd.facts import ServerFacts, fetch_facts
from updater.assembly.platforms import running_platform
from updater.assembly.registries import FleetRegistries
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.engine.engine import Engine, EngineOptions, Experience
from updater.engine.writing import Parked, Writers, not_parked
from updater.errors import ArgoCDError, ConfigurationError
from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.model.report import Report
from updater.planning.git_settings import GitScope
from updater.planning.plans import PlanOptions, plan_application
from updater.planning.watched import watched_repositories
from updater.ports.log import NullLog
from updater.ports.progress import NoProgress, Progress
from updater.registry.configuration_live import RELOAD_S
from updater.rules.label_selectors import SelectorError, parse_label_selector
from updater.rules.name_patterns import compile_name_patterns
from updater.schedule.options import Mode
from updater.settings.parts import RunSettings
from updater.settings.rules_files import RuleFiles
from updater.writeback.git_making import IntentOptions

ROUND_TIMEOUT_S = 4 * 3600.0
"""A round that takes longer than this is stuck; each call inside has a deadline of its own."""

FACTS_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Writes:
    """Who writes, how commits are made, and the event that ends what has not begun."""

    writers: Writers
    intents: IntentOptions = field(default_factory=IntentOptions)
    stopping: threading.Event = field(default_factory=threading.Event)


class Rounds:
    """Processes Applications, the whole fleet or one. Thread-safe.

    ``stopping`` ends what has not begun; ``ending_cycles`` does so in cycles alone, and is set before it or with it.
    """

    def __init__(
        self,
        settings: RunSettings,
        around: Surroundings,
        *,
        client: ArgoCDClient,
        registries: FleetRegistries,
        rules: RuleFiles,
        writes: Writes,
    ) -> None:
        self._settings = settings
        self._around = around
        self._client = client
        self._registries = registries
        self._rules = rules
        self._writes = writes
        self._experience = Experience(around.log, clock=around.clock)
        self._is_cycle = Mode(settings.mode) is Mode.CYCLE
        self._looking = threading.Lock()
        self._plan: PlanOptions | None = None
        self._looked_s = 0.0
        self.stopping = writes.stopping
        self.ending_cycles = threading.Event()

    def change_intents(self, intents: IntentOptions) -> None:
        """Make commits in another way from the next round or attempt on."""
        self._writes = replace(self._writes, intents=intents)

    def process_fleet(self, applications: Sequence[ApplicationSnapshot], workers: int, progress: Progress) -> Report:
        """One cycle. Raises ``ArgoCDError`` when the server cannot say what it is."""
        options = EngineOptions(
            self._plan_options(),
            workers,
            self._settings.is_dry_run,
            is_named=bool(self._settings.filters.names),
            intents=self._writes.intents,
        )
        engine = self._engine(options, stopping=self.ending_cycles)
        return engine.process(applications, self._deadline(), progress)

    def process_nudged(
        self,
        applications: Sequence[ApplicationSnapshot],
        workers: int,
        parked: Parked = not_parked,
        progress: Progress | None = None,
    ) -> Report:
        """Some Applications between cycles, because of an event; without a cycle's summary."""
        options = EngineOptions(
            self._plan_options(),
            workers,
            self._settings.is_dry_run,
            is_cycle=False,
            intents=self._writes.intents,
            parked=parked,
        )
        return self._engine(options).process(applications, self._deadline(), progress or NoProgress())

    def warm_up(self, applications: Sequence[ApplicationSnapshot], workers: int) -> Mapping[str, int]:
        """A round that ends before anything is written, and says and counts nothing but what it found."""
        options = EngineOptions(
            self._plan_options(),
            workers,
            is_dry_run=True,
            is_cycle=False,
            is_rehearsal=True,
            intents=self._writes.intents,
        )
        engine = self._engine(options, Experience(NullLog(), self._experience.memory))
        report = engine.process(applications, self._deadline(), NoProgress())
        repositories = {decision.plan.repository for each in report.applications for decision in each.decisions}
        return {
            "entries": report.totals["images_considered"],
            "registries": len({repository.registry for repository in repositories}),
        }

    def images_of(self, application: ApplicationSnapshot) -> frozenset[ImageRepository]:
        """The repositories that an Application's image list names, for whoever matches events with it.

        None for an Application that a bug keeps from being read (see ``admits``).
        """
        options = self._plan_options()
        try:
            return watched_repositories(application, options, self._experience.memory)
        except Exception:  # noqa: BLE001 - see above
            return frozenset()

    def admits(self, application: ApplicationSnapshot) -> bool:
        """Whether an Application passes the filters (``runtime.md`` 3.2); what its owner should mend is said once.

        One that a bug keeps from being judged passes: the round that takes it meets the same bug and reports it, while
        a List that ended here would be the end of everybody's updates.
        """
        options = self._plan_options()
        try:
            plan = plan_application(application, options, self._experience.memory)
        except Exception:  # noqa: BLE001 - see above
            return True
        if plan.skip is not None:
            self._experience.announcer.skipped(application, plan)
        if self._is_cycle:
            self._experience.handover.put(application, options, plan)
        return plan.skip is None

    def _engine(
        self, options: EngineOptions, experience: Experience | None = None, stopping: threading.Event | None = None
    ) -> Engine:
        return Engine(
            self._registries.client,
            self._writes.writers,
            options,
            self._around.clock,
            experience or self._experience,
            stopping or self.stopping,
        )

    def _deadline(self) -> Deadline:
        return Deadline.after(self._around.clock, ROUND_TIMEOUT_S)

    def _plan_options(self) -> PlanOptions:
        """Looked at afresh every half minute: rules, registries and the server's release may change under us.

        Only the very first look is waited for; later ones are made by one thread while the others go on with what held.
        """
        held = self._plan
        now_s = self._around.clock.monotonic_s()
        if held is not None and now_s - self._looked_s < RELOAD_S:
            return held
        if not self._looking.acquire(blocking=held is None):
            return held or self._plan_options()
        try:
            if self._plan is held or self._plan is None:
                self._plan = self._look(held)
                self._looked_s = now_s
            return self._plan
        finally:
            self._looking.release()

    def _look(self, held: PlanOptions | None) -> PlanOptions:
        self._refresh_rules()
        self._registries.refresh()
        try:
            return self._make_plan_options(self._fetch_facts())
        except ArgoCDError as error:
            if held is None:
                raise
            self._around.log.debug("argocd_facts_kept", error=str(error))
            return replace(held, rules=self._rules.current)

    def _fetch_facts(self) -> ServerFacts:
        facts = fetch_facts(self._client, Deadline.after(self._around.clock, FACTS_TIMEOUT_S))
        self._around.log.debug("argocd_connected", server=self._client.server, version=facts.version)
        return facts

    def _refresh_rules(self) -> None:
        """A bad edit keeps the rules that were good, and is one error (``runtime.md`` 9.8)."""
        try:
            if self._rules.refresh():
                self._around.log.info("rules_changed", documents=len(self._rules.current.documents))
        except ConfigurationError as error:
            self._around.log.error("rules_refused", exception=error, code=error.code, error=str(error))

    def _make_plan_options(self, facts: ServerFacts) -> PlanOptions:
        filters = self._settings.filters
        try:
            selector = parse_label_selector(filters.label_selector)
        except SelectorError as error:
            raise ConfigurationError(str(error), where="--match-application-label", code="bad_selector") from error
        return PlanOptions(
            name_patterns=compile_name_patterns(filters.name_patterns),
            label_selector=selector,
            default_platform=running_platform(),
            server_supports_hydrator=facts.supports_hydrator_overrides,
            rules=self._rules.current,
            follows_annotations=filters.follows_annotations,
            are_pull_secrets_strict=self._settings.are_pull_secrets_strict,
            git=GitScope(self._settings.argocd_namespace, frozenset(self._settings.git.secret_namespaces)),
        )
