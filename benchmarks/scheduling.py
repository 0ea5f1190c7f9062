"""One scheduling pass over 10,000 offers by each policy, and 10,000 jobs that offer to a dispatcher with workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from benchmarks.measuring import costs_by_turns, show
from updater.clock import SystemClock
from updater.ports.log import NullLog
from updater.schedule.dispatcher import Dispatcher, DispatchHooks, Offer
from updater.schedule.jobs import Jobs
from updater.schedule.options import Mode, Schedule, ScheduleOptions
from updater.schedule.passes import Candidate, Room, schedule_pass

ROUNDS = 15
JOBS = 10_000
REPOSITORIES = 500
WORKERS = 10
NOW_S = 1000.0
LIMIT_S = 600.0


def candidates() -> list[Candidate]:
    """In no order that a policy likes: times and failures are spread by a multiplication."""
    return [_candidate(number, number * 7919 % JOBS) for number in range(JOBS)]


def _candidate(number: int, spread: int) -> Candidate:
    return Candidate(
        key=f"ns-{spread % 50}/app-{spread:05}",
        repository=f"https://git.example.com/{number % REPOSITORIES}",
        last_attempt_s=None if spread % 10 == 0 else NOW_S - 200 - spread / 100,
        last_success_s=None if spread % 7 == 0 else NOW_S - spread / 20,
        fail_count=spread % 11 == 0,
    )


def _dispatch_all() -> None:
    """Every job fires once, and every Application passes through the pool once, with work that takes no time."""
    clock = SystemClock()
    left = threading.Semaphore(0)
    hooks = DispatchHooks(_releases(left), _ignore, _ignore, lambda: JOBS)
    dispatcher = Dispatcher(ScheduleOptions(max_concurrency=WORKERS), hooks, clock, NullLog())
    dispatcher.start()
    jobs = Jobs(clock)
    jobs.start()
    for each in candidates():
        jobs.add_application(each.key, LIMIT_S, lambda key: dispatcher.offer([Offer(key)]))
    for _ in range(JOBS):
        assert left.acquire(timeout=LIMIT_S)
    jobs.stop()
    dispatcher.stop()
    dispatcher.close()


def _releases(left: threading.Semaphore) -> Callable[[str], bool]:
    def work(_: str) -> bool:
        left.release()
        return True

    return work


def _ignore(_: object) -> None: ...


def main() -> None:
    offered = candidates()
    print(
        f"scheduling: {JOBS} offers, {REPOSITORIES} repositories, {WORKERS} workers, {threading.active_count()} thread"
    )
    for schedule in Schedule:
        options = ScheduleOptions(interval_s=120, schedule=schedule, cooldown_s=300, per_repo_cap=3)
        work = partial(schedule_pass, offered, NOW_S, Mode.CONTINUOUS, options, Room(WORKERS))
        (costs,) = costs_by_turns(ROUNDS, work)
        show(f"one pass, {schedule.value}, wall time", [1000 * cost.wall_s for cost in costs], "ms")
    (costs,) = costs_by_turns(3, _dispatch_all)
    show("jobs added, fired and dispatched, CPU per job", [1e6 * cost.cpu_s / JOBS for cost in costs], "us")


if __name__ == "__main__":
    main()
