"""Plans from filtering to the round: once, and only for the same snapshot and options."""

from __future__ import annotations

from dataclasses import replace

from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.planning.handover import PlanHandover
from updater.planning.plans import ApplicationPlan, PlanOptions

SNAPSHOT = ApplicationSnapshot(ApplicationKey("argocd", "shop"))
OPTIONS = PlanOptions()
PLAN = ApplicationPlan(SNAPSHOT.key)


def handover() -> PlanHandover:
    made = PlanHandover()
    made.put(SNAPSHOT, OPTIONS, PLAN)
    return made


def test_a_plan_is_taken_once() -> None:
    held = handover()
    assert held.take(SNAPSHOT, OPTIONS) is PLAN
    assert held.take(SNAPSHOT, OPTIONS) is None


def test_a_newer_snapshot_or_other_options_are_planned_afresh() -> None:
    assert handover().take(replace(SNAPSHOT), OPTIONS) is None
    assert handover().take(SNAPSHOT, replace(OPTIONS)) is None


def test_the_latest_plan_counts() -> None:
    held, newer = handover(), replace(SNAPSHOT)
    held.put(newer, OPTIONS, PLAN)
    assert held.take(newer, OPTIONS) is PLAN


def test_plans_that_nobody_takes_are_bounded() -> None:
    held = PlanHandover(max_plans=3)
    snapshots = [replace(SNAPSHOT, key=ApplicationKey("argocd", str(number))) for number in range(4)]
    for snapshot in snapshots:
        held.put(snapshot, OPTIONS, PLAN)
    assert [held.take(snapshot, OPTIONS) for snapshot in snapshots] == [None, None, None, PLAN]
