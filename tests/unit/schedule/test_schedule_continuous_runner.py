"""Continuous mode over in-memory ports and real threads."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from schedule_clock import ManualClock, SteppedClock
from schedule_fleet import (
    WAIT_S,
    MemoryFeed,
    MemorySource,
    RecordingLog,
    RecordingMetrics,
    admit_all,
    application,
    away,
    bad,
    good,
)

from updater.clock import Backoff, Countdown
from updater.errors import ArgoCDUnavailable, RegistryError
from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.model.report import Report
from updater.ports.fleet import FleetEvent
from updater.ports.nudges import Nudges, PushEvent
from updater.schedule.continuous_runner import ContinuousParts, ContinuousRunner
from updater.schedule.follower import FleetAccess, FollowOptions
from updater.schedule.nudging import FleetNudges, PollNudges
from updater.schedule.options import ScheduleOptions
from updater.schedule.rounds import RoundHooks
from updater.schedule.watching import WatchOptions

LONG_S = 3600.0
HASTY = WatchOptions(pause=Backoff(attempts=0, base_s=0.01, cap_s=0.01))


class Fleet:
    """A runner, what it processed, and how each attempt ends."""

    def __init__(
        self,
        *names: str,
        interval_s: float = LONG_S,
        timeout_s: float = WAIT_S,
        is_polling: bool = True,
        **options: Any,
    ) -> None:
        self.source = MemorySource(*map(application, names))
        self.feed = MemoryFeed()
        self.clock = SteppedClock()
        self.metrics = RecordingMetrics()
        self.log = RecordingLog()
        self.processed: queue.Queue[str] = queue.Queue()
        self.failing: set[str] = set()
        self.during: Callable[[str], None] = lambda _: None
        self.known: list[str] = []
        self.gone: queue.Queue[str] = queue.Queue()
        follow = FollowOptions(least_gap_s=interval_s, first_retry_s=0.01, watch=HASTY)
        parts = ContinuousParts(
            FleetAccess(self.source, self.feed),
            admit_all,
            self._process,
            RoundHooks(self.known.append, self.gone.put),
            follow,
            images_of=lambda snapshot: frozenset({ImageRepository("", snapshot.key.name)}),
            is_polling=is_polling,
        )
        schedule = ScheduleOptions(interval_s=interval_s, **options)
        self.runner = ContinuousRunner(
            parts, schedule, Countdown(self.clock, timeout_s), self.metrics, self.clock, self.log
        )

    def _process(self, snapshot: ApplicationSnapshot) -> Report:
        name = snapshot.key.name
        self.processed.put(name)
        self.during(name)
        if name == "crash":
            raise RuntimeError("a bug")
        return bad(snapshot) if name in self.failing else good(snapshot)

    def next_processed(self, count: int = 1) -> Counter[str]:
        return Counter(self.processed.get(timeout=WAIT_S) for _ in range(count))

    def wait_for_each(self, names: Iterable[str], count: int) -> None:
        """Until each of these has been processed so often from now on, and others as often as they like."""
        counts = Counter(dict.fromkeys(names, 0))
        while min(counts.values()) < count:
            counts.update(self.next_processed())

    def stop(self) -> None:
        self.clock.stop()
        self.runner.stop()


@pytest.fixture
def running() -> Iterator[Callable[[Fleet], Future[bool]]]:
    fleets: list[Fleet] = []
    with ThreadPoolExecutor() as pool:

        def run(fleet: Fleet) -> Future[bool]:
            fleets.append(fleet)
            return pool.submit(fleet.runner.run)

        yield run
        for fleet in fleets:
            fleet.stop()


Run = Callable[[Fleet], Future[bool]]


def test_every_application_is_attempted_at_once_and_then_at_its_interval(running: Run) -> None:
    fleet = Fleet("a", "b")
    running(fleet)
    assert fleet.next_processed(2) == Counter("ab")
    jobs = fleet.runner._jobs
    for key in ("ns/a", "ns/b"):
        rest_s = jobs.next_offer_s(key)
        assert rest_s is not None
        assert LONG_S - WAIT_S < rest_s <= LONG_S + 1.0
    assert fleet.metrics.value("applications_watched_total") == 2
    assert fleet.metrics.value("application_last_attempt_timestamp", application="ns/a") is not None


def test_a_short_interval_attempts_again_and_again_with_one_list(running: Run) -> None:
    fleet = Fleet("a", "b", interval_s=0.02)
    running(fleet)
    fleet.wait_for_each("ab", 5)
    assert fleet.source.calls == 1


def test_a_shorter_interval_is_everybody_s_at_once(running: Run) -> None:
    fleet = Fleet("a", "b")
    running(fleet)
    assert fleet.next_processed(2) == Counter("ab")
    fleet.runner.change_interval(0.02)
    fleet.wait_for_each("ab", 2)
    assert fleet.runner._follower._options.least_gap_s == 0.02


def test_jitter_never_shortens_the_period(running: Run) -> None:
    fleet = Fleet("a", interval_s=100.0)
    fleet.clock.jitter = 1.0
    began_s = fleet.clock.monotonic_s()
    running(fleet)
    fleet.next_processed()
    assert fleet.clock.drawn == [(0.0, 1.0)]
    rest_s = fleet.runner._jobs.next_offer_s("ns/a")
    assert rest_s is not None
    elapsed_s = fleet.clock.monotonic_s() - began_s
    assert 101.0 - elapsed_s <= rest_s <= 101.0


def test_applications_come_and_go_with_watch(running: Run) -> None:
    fleet = Fleet("a")
    running(fleet)
    assert fleet.next_processed() == Counter("a")
    _, events = fleet.feed.next_watch()
    events.tell(FleetEvent(application("new", 5)))
    assert fleet.next_processed() == Counter({"new": 1})
    events.tell(FleetEvent(application("a", 6), is_deleted=True))
    assert fleet.gone.get(timeout=WAIT_S) == "ns/a"
    assert fleet.runner._jobs.next_offer_s("ns/a") is None
    assert fleet.known == ["ns/a", "ns/new"]


def test_an_edit_is_attempted_at_once_and_a_reconcile_is_not(running: Run) -> None:
    fleet = Fleet("a", "b")
    running(fleet)
    fleet.next_processed(2)
    _, events = fleet.feed.next_watch()
    events.tell(FleetEvent(application("a", 5, source_type="Helm")))
    events.tell(FleetEvent(application("b", 6, labels={"x": "y"})))
    assert fleet.next_processed() == Counter("b")
    assert fleet.processed.empty()


def test_a_nudge_attempts_at_once_and_knows_its_fleet(running: Run) -> None:
    fleet = Fleet("a", "b")
    running(fleet)
    fleet.next_processed(2)
    assert fleet.runner.nudge(["ns/b", "ns/unknown"]) == 1
    assert fleet.next_processed() == Counter("b")


def test_without_polling_only_what_is_nudged_is_attempted(running: Run) -> None:
    fleet = Fleet("a", "b", interval_s=0, is_polling=False)
    running(fleet)
    _, events = fleet.feed.next_watch()
    events.tell(FleetEvent(application("a", 5, labels={"x": "y"})))
    events.tell(FleetEvent(application("new", 6)))
    events.tell(FleetEvent(application("new", 7), is_deleted=True))
    assert fleet.gone.get(timeout=WAIT_S) == "ns/new"
    assert fleet.runner.nudge(["ns/b"]) == 1
    assert fleet.next_processed() == Counter("b")
    assert fleet.processed.empty()


def test_after_the_last_call_only_what_is_nudged_is_attempted(running: Run) -> None:
    fleet = Fleet("a", "b", interval_s=0.01)
    running(fleet)
    fleet.next_processed(2)
    fleet.runner.keep_only_nudged()
    assert fleet.runner._dispatcher.wait_done(WAIT_S)
    fleet.processed = queue.Queue()
    fleet.runner.nudge(["ns/b"])
    assert fleet.next_processed() == Counter("b")
    assert fleet.runner._dispatcher.wait_done(WAIT_S)
    assert fleet.processed.empty()


def test_an_event_forgets_the_repository_before_its_users_are_attempted(running: Run) -> None:
    fleet, order = Fleet("a", "b", max_concurrency=1), []
    running(fleet)
    fleet.next_processed(2)
    fleet.during = order.append
    nudges: Nudges = FleetNudges(fleet.runner, lambda repository: order.append(f"forget {repository.name}"), fleet.log)
    assert nudges.nudge(PushEvent("ghcr.io", "b", "1")) == 1
    assert nudges.wait_settled(WAIT_S)
    assert order == ["forget b", "b"]
    assert nudges.nudge(PushEvent("ghcr.io", "unknown", "1")) == 0
    assert fleet.log.fields_of("webhook_finished") == {
        "registry": "ghcr.io",
        "repository": "b",
        "tag": "1",
        "processed": 1,
        "updated": 0,
        "errors": 0,
        "skipped": 0,
    }


def test_a_change_that_many_polls_find_nudges_once_in_a_while(running: Run) -> None:
    fleet = Fleet("a", "b")
    running(fleet)
    fleet.next_processed(2)
    clock = ManualClock()
    polls = PollNudges(fleet.runner, clock, 60.0, fleet.log)
    for _ in range(100):
        polls.tags_changed(ImageRepository("docker.io", "a"))
        polls.tags_changed(ImageRepository("ghcr.io", "b"))
    assert fleet.next_processed() == Counter("a")
    clock.advance(60.0)
    polls.tags_changed(ImageRepository("", "a"))
    assert fleet.next_processed() == Counter("a")
    assert fleet.log.count("tags_changed") == 3
    assert len(polls._told_s) == 1
    assert fleet.processed.empty()
    polls.quiet_for(5.0)
    clock.advance(5.0)
    polls.tags_changed(ImageRepository("", "a"))
    assert fleet.next_processed() == Counter("a")


def test_a_registry_that_may_not_be_asked_keeps_nobody_from_his_attempt(running: Run) -> None:
    def refuse(repository: ImageRepository) -> None:
        raise RegistryError("its host is not allowed", where=repository.registry)

    fleet = Fleet("a")
    running(fleet)
    fleet.next_processed()
    assert FleetNudges(fleet.runner, refuse, fleet.log).nudge(PushEvent("", "a")) == 1
    assert fleet.next_processed() == Counter("a")


def test_who_waits_for_a_worker_is_counted_with_the_reason(running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet("a", "b", max_concurrency=1)
    gate, counted = threading.Event(), queue.Queue[str]()

    def count(name: str, amount: float = 1.0, /, **labels: str) -> None:
        if name == "scheduler_skipped_total":
            counted.put(labels["reason"])

    monkeypatch.setattr(fleet.metrics, "increase", count)
    fleet.during = lambda _: gate.wait(WAIT_S)
    running(fleet)
    try:
        assert counted.get(timeout=WAIT_S) == "concurrency"
    finally:
        gate.set()
    assert fleet.next_processed(2) == Counter("ab")
    assert counted.empty()


def test_a_nudge_during_an_attempt_is_one_attempt_more(running: Run) -> None:
    fleet = Fleet("a")
    running(fleet)
    fleet.next_processed()
    entered, gate = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    fleet.during = hold
    nudges = FleetNudges(fleet.runner, lambda _: None, fleet.log)
    nudges.nudge(PushEvent("", "a"))
    assert entered.wait(WAIT_S)
    for _ in range(3):
        nudges.nudge(PushEvent("", "a"))
    gate.set()
    assert nudges.wait_settled(WAIT_S)
    assert fleet.runner._dispatcher.wait_done(WAIT_S)
    assert fleet.processed.qsize() == 2
    assert fleet.log.count("webhook_finished") == 4


def test_a_changed_list_nudges_its_users_unless_an_event_does(running: Run) -> None:
    fleet = Fleet("a")
    running(fleet)
    fleet.next_processed()
    nudges = FleetNudges(fleet.runner, lambda _: None, fleet.log)
    polls = PollNudges(fleet.runner, fleet.clock, 0.0, fleet.log)
    polls.tags_changed(ImageRepository("", "a"))
    assert fleet.next_processed() == Counter("a")
    fleet.during = lambda _: polls.tags_changed(ImageRepository("", "a"))
    nudges.nudge(PushEvent("", "a"))
    assert nudges.wait_settled(WAIT_S)
    assert fleet.runner._dispatcher.wait_done(WAIT_S)
    assert fleet.processed.qsize() == 1


def test_an_api_that_is_away_at_start_is_asked_again(running: Run) -> None:
    fleet = Fleet("a")
    fleet.source.failures = [away(), away(), away()]
    running(fleet)
    assert fleet.next_processed() == Counter("a")
    assert fleet.source.calls == 4
    assert fleet.log.count("fleet_unreadable") == 1


def test_a_crash_in_one_application_costs_no_other(running: Run) -> None:
    fleet = Fleet("crash", "b", interval_s=0.02, max_concurrency=1)
    running(fleet)
    fleet.wait_for_each(("b", "crash"), 6)
    assert fleet.log.count("bug_found") >= 5


def test_a_wall_clock_that_steps_back_an_hour_delays_nobody(running: Run) -> None:
    fleet = Fleet("a", interval_s=0.02)
    running(fleet)
    fleet.next_processed(2)
    fleet.clock.step = timedelta(hours=-1)
    fleet.next_processed(5)


def test_ten_percent_of_failing_lists_and_attempts_leave_the_rest_alone(running: Run) -> None:
    names = [f"app-{number}" for number in range(20)]
    fleet = Fleet(*names, interval_s=0.05)
    fleet.failing = {"app-0", "app-10"}
    running(fleet)
    fleet.wait_for_each(names, 5)
    for _ in range(5):
        fleet.source.failures = [away()]
        fleet.runner._follower.list_once()
    fleet.wait_for_each(names, 3)
    assert len(fleet.runner.fleet) == 20


def test_interval_zero_attempts_everybody_once_and_ends() -> None:
    fleet = Fleet(*(f"app-{number:02}" for number in range(30)), interval_s=0, max_concurrency=3)
    fleet.failing = {"app-07"}
    assert fleet.runner.run()
    assert Counter(fleet.processed.queue) == Counter({f"app-{number:02}": 1 for number in range(30)})
    assert fleet.log.fields_of("cycle_finished")["applications"] == 30
    assert fleet.log.fields_of("cycle_finished")["errors"] == 1
    assert fleet.feed.opened.empty()


def test_interval_zero_raises_what_the_listing_fails_with() -> None:
    fleet = Fleet("a", interval_s=0)
    fleet.source.failures = [away()]
    with pytest.raises(ArgoCDUnavailable):
        fleet.runner.run()


def test_the_stop_waits_for_running_workers_and_starts_no_others(running: Run) -> None:
    fleet = Fleet("a", "b", max_concurrency=1)
    leave = threading.Event()
    fleet.during = lambda _: None if leave.wait(WAIT_S) else pytest.fail("nobody let it go")
    ended = running(fleet)
    fleet.next_processed()
    fleet.stop()
    leave.set()
    assert ended.result(WAIT_S)
    assert fleet.processed.empty()
    assert fleet.log.fields_of("cycle_finished")["applications"] == 1


def test_a_worker_that_does_not_end_in_time_is_left_behind(running: Run) -> None:
    fleet = Fleet("a", timeout_s=0.0)
    leave = threading.Event()
    fleet.during = lambda _: None if leave.wait(WAIT_S) else pytest.fail("nobody let it go")
    ended = running(fleet)
    fleet.next_processed()
    fleet.stop()
    assert ended.result(WAIT_S) is False
    leave.set()


def test_the_summary_covers_each_finished_attempt_once(running: Run) -> None:
    fleet = Fleet("a", "b", interval_s=0.02)
    ended = running(fleet)
    fleet.next_processed(10)
    fleet.stop()
    assert ended.result(WAIT_S)
    summed = sum(int(str(fields["applications"])) for event, fields in fleet.log.records if event == "cycle_finished")
    assert summed == fleet.log.count("application_succeeded")


def test_threads_stay_flat_while_watches_are_cut(running: Run) -> None:
    fleet = Fleet("a")
    running(fleet)
    fleet.next_processed()
    _, events = fleet.feed.next_watch()
    before = threading.active_count()
    for _ in range(50):
        events.end()
        _, events = fleet.feed.next_watch()
    assert threading.active_count() <= before + 1
    assert fleet.source.calls == 1
