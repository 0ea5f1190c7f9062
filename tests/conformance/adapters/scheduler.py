"""The scheduling pass."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.conformance.vectors import Vector
from updater.schedule.options import Mode, Schedule, ScheduleOptions
from updater.schedule.passes import Candidate, Room, schedule_pass


def _scheduler(vector: Vector) -> Any:
    given = vector.given
    config = given["config"]
    options = ScheduleOptions(
        interval_s=config["interval_s"],
        max_concurrency=config["max_concurrency"],
        cpus=config["cpus"],
        schedule=Schedule(config["schedule"]),
        cooldown_s=config["cooldown_s"],
        per_repo_cap=config["per_repo_cap"],
    )
    candidates = [_candidate(app) for app in given["apps"]]
    busy = Counter(each.repository for each in candidates if each.is_running)
    workers = options.workers_for(len(candidates))
    result = schedule_pass(candidates, given["now"], Mode(config["mode"]), options, Room(workers, busy.total(), busy))
    found = {
        "order": list(result.order),
        "dispatch": list(result.dispatch),
        "skipped": [{"key": key, "reason": reason.value} for key, reason in sorted(result.skipped)],
        "not_due": list(result.not_due),
    }
    return {**found, "effective_concurrency": workers} if "effective_concurrency" in vector.expect else found


def _candidate(app: dict[str, Any]) -> Candidate:
    return Candidate(
        app["key"],
        app["repo"],
        app["last_attempt"],
        app["last_success"],
        app["fail_count"],
        is_running=app.get("in_flight", False),
    )


ADAPTERS = {"scheduler": _scheduler}
