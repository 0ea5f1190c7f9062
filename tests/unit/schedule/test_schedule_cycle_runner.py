"""Cycle mode: order, gaps, failures, memory between cycles, and the end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from schedule_clock import ManualClock
from schedule_fleet import WAIT_S, MemorySource, RecordingLog, RecordingMetrics, application, away, bad, good

from updater.clock import Clock, Countdown, SystemClock
from updater.errors import ArgoCDUnavailable
from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.model.report import Report
from updater.ports.nudges import PushEvent
from updater.schedule.cycle_runner import CycleParts, CycleRunner
from updater.schedule.nudging import FleetNudges
from updater.schedule.options import Schedule, ScheduleOptions
from updater.schedule.rounds import RoundHooks

SHORT_S = 0.01


def opened() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Rounds:
    """What was processed, cycle by cycle; ``failing`` names fail; ``crash`` is raised once."""

    source: MemorySource
    clock: Clock = field(default_factory=ManualClock)
    failing: set[str] = field(default_factory=set)
    crash: Exception | None = None
    nudged: queue.Queue[list[str]] = field(default_factory=queue.Queue)
    nudged_crash: Exception | None = None
    is_cycling: bool = False
    gate: threading.Event = field(default_factory=opened)
    """Cleared, it holds a cycle."""
    admits: Callable[[ApplicationSnapshot], bool] = lambda _: True
    done: queue.Queue[list[str]] = field(default_factory=queue.Queue)
    workers: list[int] = field(default_factory=list)
    hooks: RoundHooks = field(default_factory=RoundHooks)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)
    log: RecordingLog = field(default_factory=RecordingLog)

    def process(self, snapshots: Sequence[ApplicationSnapshot], workers: int) -> Report:
        self.workers.append(workers)
        self.is_cycling = True
        self.done.put([each.key.name for each in snapshots])
        self.gate.wait(WAIT_S)
        self.is_cycling = False
        if self.crash is not None:
            error, self.crash = self.crash, None
            raise error
        reports = [(bad if each.key.name in self.failing else good)(each) for each in snapshots]
        return Report(tuple(report.applications[0] for report in reports))

    def process_nudged(self, snapshots: Sequence[ApplicationSnapshot], workers: int) -> Report:
        assert not self.is_cycling
        self.nudged.put([each.key.name for each in snapshots])
        if self.nudged_crash is not None:
            raise self.nudged_crash
        return Report(tuple(good(each).applications[0] for each in snapshots))

    def runner(self, **options: Any) -> CycleRunner:
        parts = CycleParts(
            self.source,
            self.admits,
            self.process,
            self.hooks,
            images_of=lambda snapshot: frozenset({ImageRepository("", snapshot.key.name)}),
            process_nudged=self.process_nudged,
        )
        return CycleRunner(
            parts, ScheduleOptions(**options), Countdown(self.clock, WAIT_S), self.metrics, self.clock, self.log
        )


@pytest.fixture
def running() -> Iterator[Callable[[CycleRunner], Future[bool]]]:
    """Runs a runner in a thread, and stops it at the end."""
    runners: list[CycleRunner] = []
    with ThreadPoolExecutor() as pool:

        def run(runner: CycleRunner) -> Future[bool]:
            runners.append(runner)
            return pool.submit(runner.run)

        yield run
        for runner in runners:
            runner.stop()


def test_interval_zero_is_one_cycle() -> None:
    rounds = Rounds(MemorySource(application("b"), application("a")))
    assert rounds.runner(interval_s=0).run()
    assert list(rounds.done.queue) == [["a", "b"]]
    assert rounds.metrics.value("applications_watched_total") == 2
    assert rounds.metrics.value("update_cycle_last_end_timestamp") == rounds.clock.now().timestamp()
    assert [name for name, _ in rounds.metrics.observed] == ["update_cycle_duration_seconds"]


def test_a_shorter_interval_ends_a_long_pause(running: Callable[[CycleRunner], Future[bool]]) -> None:
    rounds = Rounds(MemorySource(application("a")), clock=SystemClock())
    runner = rounds.runner(interval_s=3600.0)
    running(runner)
    rounds.done.get(timeout=WAIT_S)
    runner.change_interval(SHORT_S)
    assert [rounds.done.get(timeout=WAIT_S) for _ in range(3)] == [["a"]] * 3


def test_interval_zero_raises_what_the_listing_fails_with() -> None:
    source = MemorySource()
    source.failures = [away()]
    with pytest.raises(ArgoCDUnavailable):
        Rounds(source).runner(interval_s=0).run()


def test_who_failed_goes_first_in_the_next_cycle() -> None:
    rounds = Rounds(MemorySource(*map(application, "abc")), failing={"c"})
    runner = rounds.runner(schedule=Schedule.FAIL_FIRST)
    runner.run_cycle()
    runner.run_cycle()
    assert list(rounds.done.queue) == [["a", "b", "c"], ["c", "a", "b"]]


def test_the_cap_of_a_repository_rotates_through_its_applications() -> None:
    rounds = Rounds(MemorySource(*(application(name, repo_url="mono") for name in "abc")))
    clock = rounds.clock
    assert isinstance(clock, ManualClock)
    runner = rounds.runner(per_repo_cap=1)
    for _ in range(4):
        runner.run_cycle()
        clock.advance(1.0)
    assert [names for (names,) in rounds.done.queue] == ["a", "b", "c", "a"]
    assert rounds.metrics.value("scheduler_skipped_total", reason="per-repo-cap") == 8


def test_a_round_that_crashes_counts_as_a_failure_of_everybody_in_it() -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), crash=RuntimeError("a bug"))
    runner = rounds.runner(schedule=Schedule.FAIL_FIRST)
    with pytest.raises(RuntimeError):
        runner.run_cycle()
    rounds.source.snapshots += (application("0-new"),)
    runner.run_cycle()
    assert list(rounds.done.queue)[1] == ["a", "b", "0-new"]


def test_who_is_not_admitted_comes_last_and_is_not_measured() -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), admits=lambda each: each.key.name == "b")
    rounds.runner().run_cycle()
    assert list(rounds.done.queue) == [["b", "a"]]
    assert rounds.metrics.value("applications_watched_total") == 1
    assert rounds.metrics.value("application_last_attempt_timestamp", application="ns/a") is None


def test_applications_that_leave_are_told_of_once() -> None:
    known: list[str] = []
    gone: list[str] = []
    rounds = Rounds(MemorySource(application("a"), application("b")), hooks=RoundHooks(known.append, gone.append))
    runner = rounds.runner()
    runner.run_cycle()
    rounds.source.snapshots = (application("b"),)
    runner.run_cycle()
    rounds.source.failures = [away()]
    with pytest.raises(ArgoCDUnavailable):
        runner.run_cycle()
    rounds.source.snapshots = (application("a"),)
    runner.run_cycle()
    assert (known, gone) == (["ns/a", "ns/b", "ns/a"], ["ns/a", "ns/b"])


def test_an_application_that_left_and_came_back_has_no_past() -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), failing={"b"})
    runner = rounds.runner(schedule=Schedule.FAIL_FIRST)
    runner.run_cycle()
    rounds.source.snapshots = (application("a"),)
    runner.run_cycle()
    rounds.source.snapshots = (application("a"), application("b"), application("0-new"))
    runner.run_cycle()
    assert list(rounds.done.queue) == [["a", "b"], ["a"], ["0-new", "b", "a"]]


def test_the_automatic_number_of_workers_follows_the_fleet() -> None:
    rounds = Rounds(MemorySource(application("a")))
    runner = rounds.runner(max_concurrency=0, cpus=1)
    runner.run_cycle()
    rounds.source.snapshots = tuple(application(str(number)) for number in range(20))
    runner.run_cycle()
    assert rounds.workers == [1, 8]
    assert rounds.log.fields_of("concurrency_chosen") == {"workers": 1, "cpus": 1, "applications": 1}


def test_cycles_follow_each_other_and_never_overlap(running: Callable[[CycleRunner], Future[bool]]) -> None:
    rounds = Rounds(MemorySource(application("a")), clock=SystemClock())
    runner = rounds.runner(interval_s=SHORT_S)
    ended = running(runner)
    assert [rounds.done.get(timeout=WAIT_S) for _ in range(5)] == [["a"]] * 5
    runner.stop()
    assert ended.result(WAIT_S)


@pytest.mark.parametrize("failure", [away(), RuntimeError("a bug")], ids=["api away", "bug"])
def test_a_failing_cycle_is_one_record_and_the_next_one_comes(
    running: Callable[[CycleRunner], Future[bool]], failure: Exception
) -> None:
    source = MemorySource(application("a"))
    source.failures = [failure, failure]
    rounds = Rounds(source, clock=SystemClock())
    running(rounds.runner(interval_s=SHORT_S))
    assert rounds.done.get(timeout=WAIT_S) == ["a"]
    again = rounds.log.count("fleet_unreadable_again")
    assert rounds.log.count("fleet_unreadable") + again + rounds.log.count("bug_found") == 2
    assert again <= 1


def test_a_first_listing_is_repeated_every_five_seconds_for_a_minute() -> None:
    source = MemorySource(application("a"))
    source.failures = [away() for _ in range(15)]
    rounds = Rounds(source, hooks=RoundHooks(server_fields={"argocd_server": "argocd.example.com"}))
    runner = rounds.runner(interval_s=120.0)
    pauses: list[float] = []
    for _ in range(14):
        pauses.append(runner._cycle_guarded())
        rounds.clock.wait_s(pauses[-1])
    assert pauses == [5.0] * 12 + [120.0] * 2
    assert rounds.log.fields_of("fleet_unreadable")["argocd_server"] == "argocd.example.com"
    # At 0 s, 60 s and 180 s.
    assert rounds.log.count("fleet_unreadable") == 3


def test_a_listing_that_fails_later_waits_for_the_interval() -> None:
    rounds = Rounds(MemorySource(application("a")))
    runner = rounds.runner(interval_s=120.0)
    runner.run_cycle()
    rounds.source.failures = [away()]
    assert runner._cycle_guarded() == 120.0
    assert runner.listed_s == rounds.clock.monotonic_s()


def test_the_stop_waits_for_the_running_cycle(running: Callable[[CycleRunner], Future[bool]]) -> None:
    source = MemorySource(application("a"))
    leave = threading.Event()
    source.before = lambda: assert_true(leave.wait(WAIT_S))
    rounds = Rounds(source, clock=SystemClock())
    runner = rounds.runner(interval_s=SHORT_S)
    ended = running(runner)
    source.wait_for_calls(1)
    runner.stop()
    leave.set()
    assert ended.result(WAIT_S)
    assert list(rounds.done.queue) == [["a"]]


def test_a_cycle_that_does_not_end_in_time_is_left_behind(running: Callable[[CycleRunner], Future[bool]]) -> None:
    source = MemorySource(application("a"))
    leave = threading.Event()
    source.before = lambda: assert_true(leave.wait(WAIT_S))
    rounds = Rounds(source, clock=SystemClock())
    parts = CycleParts(source, rounds.admits, rounds.process, rounds.hooks)
    runner = CycleRunner(
        parts, ScheduleOptions(), Countdown(rounds.clock, 0.0), rounds.metrics, rounds.clock, rounds.log
    )
    ended = running(runner)
    source.wait_for_calls(1)
    runner.stop()
    assert ended.result(WAIT_S) is False
    leave.set()
    assert rounds.done.get(timeout=WAIT_S) == ["a"]


def test_the_work_of_a_cycle_counts_while_it_goes_on_and_its_list_does_not_age() -> None:
    clock = ManualClock()
    rounds = Rounds(MemorySource(application("a")), clock=clock)
    seen: list[tuple[float | None, float | None]] = []

    def process(snapshots: Sequence[ApplicationSnapshot], workers: int) -> Report:
        for _ in range(2):
            clock.advance(900.0)
            seen.append((runner.listed_s, runner.ended_s))
            runner.note_work()
            seen.append((runner.listed_s, runner.ended_s))
        clock.advance(50.0)
        return rounds.process(snapshots, workers)

    parts = CycleParts(rounds.source, rounds.admits, process, rounds.hooks)
    options = ScheduleOptions(interval_s=0.0)
    runner = CycleRunner(parts, options, Countdown(clock, WAIT_S), rounds.metrics, clock, rounds.log)
    began_s = clock.monotonic_s()
    assert (runner.listed_s, runner.ended_s) == (None, None)
    runner.run_cycle()
    first_s, second_s = began_s + 900.0, began_s + 1800.0
    assert seen == [(first_s, None), (first_s, first_s), (second_s, first_s), (second_s, second_s)]
    assert (runner.listed_s, runner.ended_s) == (began_s + 1850.0, began_s + 1850.0)


def test_work_between_cycles_is_no_list() -> None:
    clock = ManualClock()
    rounds = Rounds(MemorySource(application("a")), clock=clock)
    runner = rounds.runner(interval_s=0.0)
    runner.run_cycle()
    ended_s = clock.monotonic_s()
    clock.advance(900.0)
    runner.note_work()
    assert (runner.listed_s, runner.ended_s) == (ended_s, ended_s + 900.0)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        pytest.param(None, "warmup_finished", id="good"),
        pytest.param(away(), "warmup_failed", id="failing"),
        pytest.param(RuntimeError("planted"), "bug_found", id="bug"),
    ],
)
def test_the_warm_up_comes_first_and_its_failure_stops_nothing(failure: Exception | None, said: str) -> None:
    order: list[str] = []

    def warm_up() -> dict[str, int]:
        order.append("warm-up")
        if failure is not None:
            raise failure
        return {"entries": 7, "registries": 2}

    rounds = Rounds(MemorySource(application("a")), hooks=RoundHooks(warm_up=warm_up))
    rounds.source.before = lambda: order.append("list")
    assert rounds.runner(interval_s=0).run()
    assert order == ["warm-up", "list"]
    assert rounds.log.count(said) == 1
    assert rounds.metrics.value("images_errors_total", application="ns/a") == 0


def test_threads_stay_flat_over_many_cycles(running: Callable[[CycleRunner], Future[bool]]) -> None:
    rounds = Rounds(MemorySource(application("a")), clock=SystemClock())
    counts, others = set[int](), set(threading.enumerate())
    running(rounds.runner(interval_s=0.001))
    for _ in range(100):
        rounds.done.get(timeout=WAIT_S)
        counts.add(sum(thread.name.startswith("schedule-job") for thread in {*threading.enumerate()} - others))
    assert max(counts) <= 2


def assert_true(value: bool) -> None:  # noqa: FBT001 - the one argument there is
    assert value


def test_an_event_is_processed_between_cycles(running: Callable[[CycleRunner], Future[bool]]) -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), clock=SystemClock())
    runner, forgotten = rounds.runner(interval_s=3600), []
    nudges = FleetNudges(runner, forgotten.append, rounds.log)
    running(runner)
    rounds.done.get(timeout=WAIT_S)
    assert nudges.nudge(PushEvent("ghcr.io", "b")) == 1
    assert rounds.nudged.get(timeout=WAIT_S) == ["b"]
    assert nudges.wait_settled(WAIT_S)
    assert forgotten == [ImageRepository("", "b")]
    assert rounds.log.fields_of("webhook_finished")["processed"] == 1
    assert rounds.source.calls == 1


def test_events_during_a_cycle_are_one_round_after_it(running: Callable[[CycleRunner], Future[bool]]) -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), clock=SystemClock())
    runner = rounds.runner(interval_s=3600)
    nudges = FleetNudges(runner, lambda _: None, rounds.log)
    rounds.gate.clear()
    running(runner)
    rounds.done.get(timeout=WAIT_S)
    for name in ("b", "a", "b", "unknown"):
        nudges.nudge(PushEvent("", name))
    assert rounds.nudged.empty()
    rounds.gate.set()
    assert rounds.nudged.get(timeout=WAIT_S) == ["b", "a"]
    assert nudges.wait_settled(WAIT_S)
    assert rounds.nudged.empty()
    assert rounds.log.count("webhook_finished") == 3


@pytest.mark.parametrize("crash", [ArgoCDUnavailable("away"), RuntimeError("a bug")], ids=["error", "bug"])
def test_a_round_of_an_event_that_fails_is_told_and_ends_nothing(
    running: Callable[[CycleRunner], Future[bool]], crash: Exception
) -> None:
    rounds = Rounds(MemorySource(application("a")), clock=SystemClock(), nudged_crash=crash)
    runner = rounds.runner(interval_s=3600)
    nudges = FleetNudges(runner, lambda _: None, rounds.log)
    running(runner)
    rounds.done.get(timeout=WAIT_S)
    nudges.nudge(PushEvent("", "a"))
    assert nudges.wait_settled(WAIT_S)
    assert rounds.log.fields_of("webhook_finished")["errors"] == 1
    assert rounds.metrics.value("images_errors_total", application="ns/a") == 1
    rounds.nudged_crash = None
    nudges.nudge(PushEvent("", "a"))
    assert nudges.wait_settled(WAIT_S)


def test_who_leaves_between_event_and_round_is_not_waited_for(
    running: Callable[[CycleRunner], Future[bool]],
) -> None:
    rounds = Rounds(MemorySource(application("a"), application("b")), clock=SystemClock())
    runner = rounds.runner(interval_s=SHORT_S)
    nudges = FleetNudges(runner, lambda _: None, rounds.log)
    running(runner)
    rounds.done.get(timeout=WAIT_S)
    runner.keep_only_nudged()
    runner.tickets.open(["ns/a"], frozenset(), rounds.log)
    runner._note_fleet({"ns/b": application("b")})
    assert nudges.wait_settled(0)
    assert nudges.nudge(PushEvent("", "a")) == 0
