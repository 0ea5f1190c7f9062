"""The dispatcher with real workers: guards, limits, nudges, crashes, and what it leaves behind."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from schedule_clock import ManualClock
from schedule_fleet import WAIT_S, RecordingLog

from updater.schedule.dispatcher import MANY_OFFERS, ORDER_LIFE_S, Dispatcher, DispatchHooks, Offer
from updater.schedule.options import Schedule, ScheduleOptions
from updater.schedule.passes import SkipReason

INTERVAL_S = 60.0


@dataclass
class Workshop:
    """Workers that wait until the test lets each of them go, by key; ``results`` says how an attempt ends."""

    started: queue.Queue[str] = field(default_factory=queue.Queue)
    skipped: Counter[SkipReason] = field(default_factory=Counter)
    results: dict[str, bool | Exception] = field(default_factory=dict)
    gates: dict[str, threading.Semaphore] = field(default_factory=dict)
    most_at_once: int = 0
    is_closed: bool = False
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, key: str) -> bool:
        with self._lock:
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
        try:
            assert self.gate(key).acquire(timeout=WAIT_S)
            result = self.results.get(key, True)
            if isinstance(result, Exception):
                raise result
            return result
        finally:
            with self._lock:
                self._busy -= 1

    def gate(self, key: str) -> threading.Semaphore:
        with self._lock:
            return self.gates.setdefault(key, threading.Semaphore(int(self.is_closed)))

    def let_go(self, *keys: str) -> None:
        for key in keys:
            self.gate(key).release()

    def close(self) -> None:
        """Let everybody go, also who comes later."""
        with self._lock:
            self.is_closed = True
            waiting = list(self.gates)
        self.let_go(*waiting)

    def next_started(self) -> str:
        return self.started.get(timeout=WAIT_S)


@dataclass
class Floor:
    """A dispatcher in front of a workshop, on a manual clock."""

    options: ScheduleOptions
    shop: Workshop = field(default_factory=Workshop)
    clock: ManualClock = field(default_factory=ManualClock)
    log: RecordingLog = field(default_factory=RecordingLog)

    def __post_init__(self) -> None:
        hooks = DispatchHooks(self.shop.work, self.shop.started.put, self._skip, lambda: 100)
        self.dispatcher = Dispatcher(self.options, hooks, self.clock, self.log)

    def _skip(self, reason: SkipReason) -> None:
        self.shop.skipped[reason] += 1

    def offer(self, *keys: str, repository: str = "", is_nudged: bool = False) -> None:
        self.dispatcher.offer(Offer(key, repository, is_nudged) for key in keys)

    def nudge(self, *keys: str) -> None:
        self.offer(*keys, is_nudged=True)

    def finish(self) -> None:
        assert self.dispatcher.wait_done(WAIT_S)


@pytest.fixture
def floors() -> Iterator[list[Floor]]:
    made: list[Floor] = []
    yield made
    for floor in made:
        floor.dispatcher.stop()
        floor.shop.close()
        assert floor.dispatcher.wait_idle(WAIT_S)
        floor.dispatcher.close()


@pytest.fixture
def floor(floors: list[Floor]) -> Floor:
    made = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=2))
    floors.append(made)
    made.dispatcher.start()
    return made


def test_what_is_offered_starts_and_no_more_than_there_are_slots(floor: Floor) -> None:
    floor.offer("ns/a", "ns/b", "ns/c", "ns/d")
    assert [floor.shop.next_started() for _ in range(2)] == ["ns/a", "ns/b"]
    floor.shop.let_go("ns/b")
    assert floor.shop.next_started() == "ns/c"
    floor.shop.let_go("ns/a", "ns/c", "ns/d")
    floor.finish()
    assert floor.shop.most_at_once == 2


def test_waiting_for_the_same_reason_is_counted_once(floor: Floor) -> None:
    floor.offer("ns/a", "ns/b", "ns/c")
    assert {floor.shop.next_started(), floor.shop.next_started()} == {"ns/a", "ns/b"}
    # Each of these is at least one more pass over ns/c.
    for _ in range(3):
        floor.offer("ns/c")
    floor.shop.let_go("ns/a", "ns/b", "ns/c")
    floor.finish()
    assert floor.shop.skipped == {SkipReason.CONCURRENCY: 1}


def test_an_application_that_runs_is_not_started_again_until_it_ends(floor: Floor) -> None:
    floor.offer("ns/a")
    assert floor.shop.next_started() == "ns/a"
    floor.clock.advance(INTERVAL_S)
    floor.offer("ns/a")
    floor.offer("ns/b")
    assert floor.shop.next_started() == "ns/b"
    assert floor.shop.started.empty()
    floor.shop.let_go("ns/a")
    assert floor.shop.next_started() == "ns/a"
    assert floor.shop.skipped[SkipReason.IN_FLIGHT] == 1


def test_an_application_that_is_not_due_is_dropped(floor: Floor) -> None:
    floor.shop.let_go("ns/a")
    floor.offer("ns/a")
    assert floor.shop.next_started() == "ns/a"
    floor.finish()
    floor.clock.advance(INTERVAL_S - 1)
    floor.offer("ns/a")
    floor.finish()
    assert floor.shop.started.empty()
    floor.clock.advance(1)
    floor.offer("ns/a")
    assert floor.shop.next_started() == "ns/a"


def test_nudges_of_a_running_application_are_remembered_once(floor: Floor) -> None:
    floor.nudge("ns/a")
    assert floor.shop.next_started() == "ns/a"
    for _ in range(5):
        floor.nudge("ns/a")
    # An offer by its job does not take the nudge away.
    floor.offer("ns/a")
    floor.shop.let_go("ns/a")
    assert floor.shop.next_started() == "ns/a"
    floor.shop.let_go("ns/a")
    floor.finish()
    assert floor.shop.started.empty()


def test_a_crash_costs_only_its_own_application(floor: Floor) -> None:
    floor.shop.results["ns/bad"] = RuntimeError("a bug")
    keys = [f"ns/{number}" for number in range(20)]
    floor.shop.let_go("ns/bad", *keys)
    floor.offer("ns/bad", *keys)
    floor.finish()
    assert sorted(floor.shop.started.queue) == sorted(["ns/bad", *keys])
    assert floor.log.count("bug_found") == 1


def test_the_cap_of_a_repository_holds_across_passes(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=10, per_repo_cap=1))
    floors.append(floor)
    floor.dispatcher.start()
    floor.offer("ns/a", "ns/b", repository="mono")
    floor.offer("ns/c", repository="solo")
    assert {floor.shop.next_started(), floor.shop.next_started()} == {"ns/a", "ns/c"}
    floor.shop.let_go("ns/c")
    assert floor.dispatcher.wait_idle(0.0) is False
    assert floor.shop.started.empty()
    floor.shop.let_go("ns/a", "ns/b")
    assert floor.shop.next_started() == "ns/b"
    assert floor.shop.skipped[SkipReason.PER_REPO_CAP] == 1


def test_failures_go_first_where_the_operator_wants_that(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=0, max_concurrency=1, schedule=Schedule.FAIL_FIRST))
    floors.append(floor)
    floor.shop.results["ns/z"] = False
    floor.dispatcher.start()
    floor.shop.let_go("ns/z")
    floor.offer("ns/z")
    floor.finish()
    floor.shop.let_go("ns/a", "ns/z")
    floor.offer("ns/a", "ns/z")
    floor.finish()
    assert list(floor.shop.started.queue) == ["ns/z", "ns/z", "ns/a"]


def test_the_wall_clock_decides_nothing(floor: Floor) -> None:
    """The dispatcher asks for monotonic seconds only: a clock without a time of day is enough for it."""

    def no_time_of_day() -> None:
        raise AssertionError("asked for the time of day")

    floor.clock.now = no_time_of_day  # type: ignore[method-assign, assignment]  # that is the point
    floor.shop.let_go("ns/a")
    floor.offer("ns/a")
    floor.finish()
    assert floor.log.count("bug_found") == 0


def test_a_withdrawn_application_is_not_started_and_is_forgotten(floor: Floor) -> None:
    floor.offer("ns/a", "ns/b", "ns/c")
    assert {floor.shop.next_started(), floor.shop.next_started()} == {"ns/a", "ns/b"}
    floor.dispatcher.withdraw("ns/c")
    floor.dispatcher.withdraw("ns/a")
    floor.shop.let_go("ns/a", "ns/b")
    floor.finish()
    assert floor.shop.started.empty()
    assert floor.dispatcher.remembered == 1


def test_an_application_that_comes_back_while_it_runs_is_remembered(floor: Floor) -> None:
    floor.offer("ns/a")
    assert floor.shop.next_started() == "ns/a"
    floor.dispatcher.withdraw("ns/a")
    floor.offer("ns/a")
    floor.shop.let_go("ns/a")
    floor.finish()
    assert floor.dispatcher.remembered == 1


def test_nothing_starts_after_the_stop_and_the_running_ones_are_waited_for(floor: Floor) -> None:
    floor.offer("ns/a", "ns/b", "ns/c")
    assert {floor.shop.next_started(), floor.shop.next_started()} == {"ns/a", "ns/b"}
    floor.dispatcher.stop()
    assert floor.dispatcher.wait_idle(0.0) is False
    floor.shop.let_go("ns/a", "ns/b")
    assert floor.dispatcher.wait_idle(WAIT_S)
    assert floor.shop.started.empty()


def test_a_hook_that_fails_stops_nothing(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=1))
    floors.append(floor)
    ran: queue.Queue[str] = queue.Queue()

    def work(key: str) -> bool:
        ran.put(key)
        return True

    def on_dispatched(key: str) -> None:
        if key == "ns/a":
            raise RuntimeError("a bug")

    floor.dispatcher = Dispatcher(
        floor.options, DispatchHooks(work, on_dispatched, lambda _: None, lambda: 1), floor.clock, floor.log
    )
    floor.dispatcher.start()
    floor.offer("ns/a", "ns/b")
    assert ran.get(timeout=WAIT_S) == "ns/b"
    floor.finish()
    assert floor.log.count("bug_found") == 1


def test_threads_and_memory_stay_flat_over_many_rounds(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=4))
    floors.append(floor)
    floor.dispatcher.start()
    threads, others = set[int](), set(threading.enumerate())
    for round_number in range(50):
        keys = [f"ns/{round_number}-{number}" for number in range(20)]
        floor.shop.let_go(*keys)
        floor.offer(*keys)
        floor.finish()
        for key in keys:
            floor.dispatcher.withdraw(key)
        threads.add(sum(thread.name.startswith("update") for thread in {*threading.enumerate()} - others))
        floor.clock.advance(INTERVAL_S)
    assert floor.shop.started.qsize() == 1000
    assert max(threads) <= 4
    assert floor.dispatcher.remembered == 0
    assert floor.dispatcher.waiting == 0


def test_ten_percent_of_failing_attempts_cost_no_other_attempt(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=8))
    floors.append(floor)
    keys = [f"ns/{number:03}" for number in range(100)]
    floor.shop.results.update(dict.fromkeys(keys[::10], False))
    floor.dispatcher.start()
    for _ in range(3):
        floor.shop.let_go(*keys)
        floor.offer(*keys)
        floor.finish()
        floor.clock.advance(INTERVAL_S)
    assert Counter(floor.shop.started.queue) == Counter(dict.fromkeys(keys, 3))


def test_a_long_queue_keeps_its_order_for_a_second_and_then_sees_what_came(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=1))
    floors.append(floor)
    keys = [f"ns/m{number:04}" for number in range(MANY_OFFERS + 3)]
    floor.offer(*keys)
    floor.dispatcher.start()
    assert floor.shop.next_started() == keys[0]
    floor.offer("ns/a")
    floor.shop.let_go(keys[0])
    assert floor.shop.next_started() == keys[1]
    floor.clock.advance(ORDER_LIFE_S)
    floor.shop.let_go(keys[1])
    assert floor.shop.next_started() == "ns/a"


def test_a_long_queue_that_leaves_slots_free_sees_what_came_at_once(floors: list[Floor]) -> None:
    floor = Floor(ScheduleOptions(interval_s=INTERVAL_S, max_concurrency=3, per_repo_cap=1))
    floors.append(floor)
    keys = [f"ns/m{number:04}" for number in range(MANY_OFFERS + 2)]
    floor.offer(*keys, repository="mono")
    floor.dispatcher.start()
    assert floor.shop.next_started() == keys[0]
    floor.offer("ns/z", repository="solo")
    assert floor.shop.next_started() == "ns/z"


def test_an_attempt_that_only_waits_gives_its_slot_to_another(floor: Floor) -> None:
    floor.offer("ns/a", "ns/b", "ns/c", "ns/d")
    assert [floor.shop.next_started() for _ in range(2)] == ["ns/a", "ns/b"]
    with floor.dispatcher.parked("ns/a"):
        assert floor.shop.next_started() == "ns/c"
    assert floor.dispatcher.waiting == 1
    floor.shop.let_go("ns/a")
    floor.shop.let_go("ns/b")
    assert floor.shop.next_started() == "ns/d"
    floor.shop.let_go("ns/c", "ns/d")
    floor.finish()


def test_one_that_does_not_run_waits_for_nobody(floor: Floor) -> None:
    with floor.dispatcher.parked("ns/never-seen"):
        floor.offer("ns/a")
        assert floor.shop.next_started() == "ns/a"
    floor.shop.let_go("ns/a")
    floor.finish()
