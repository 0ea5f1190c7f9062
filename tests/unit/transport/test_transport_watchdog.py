from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from updater.clock import Deadline, SystemClock
from updater.transport.watchdog import Watchdog, WatchdogClosed

CLOCK = SystemClock()


class StoppedClock(SystemClock):
    """Time stands where the test put it."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.at_s


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    made = Watchdog()
    yield made
    made.close()


def test_the_earliest_deadline_is_enforced_first_whatever_the_order_they_came_in(watchdog: Watchdog) -> None:
    clock, order = StoppedClock(), list[str]()
    ended = threading.Event()
    watchdog.watch(Deadline(clock, 60.0), lambda: order.append("late"))
    watchdog.watch(Deadline(clock, 10.0), lambda: (order.append("second"), ended.set()))
    watchdog.watch(Deadline(clock, 5.0), lambda: order.append("first"))
    clock.at_s = 20.0
    # It sleeps in real seconds, and looks at the clock when something earlier comes.
    watchdog.watch(Deadline(clock, 1.0), lambda: None)
    assert ended.wait(10)
    assert order == ["first", "second"]


def test_work_that_has_ended_is_not_interrupted(watchdog: Watchdog) -> None:
    clock = StoppedClock()
    calls: list[str] = []
    ended = threading.Event()
    watch = watchdog.watch(Deadline(clock, 5.0), lambda: calls.append("ended work"))
    watch.done()
    clock.at_s = 10.0
    watchdog.watch(Deadline(clock, 1.0), ended.set)
    assert ended.wait(10)
    assert calls == []


def test_ended_work_is_not_kept_alive(watchdog: Watchdog) -> None:
    class Work:
        def interrupt(self) -> None: ...

    work = Work()
    reference = weakref.ref(work)
    watchdog.watch(Deadline.after(CLOCK, 3600), work.interrupt).done()
    del work
    gc.collect()
    assert reference() is None


def test_entries_of_ended_work_do_not_pile_up(watchdog: Watchdog) -> None:
    for _ in range(5000):
        watchdog.watch(Deadline.after(CLOCK, 3600), lambda: None).done()
    assert len(watchdog._heap) < 1000


def test_entries_of_running_work_survive_the_clearing_up(watchdog: Watchdog) -> None:
    clock = StoppedClock()
    ended = threading.Event()
    watchdog.watch(Deadline(clock, 500.0), ended.set)
    for _ in range(2000):
        watchdog.watch(Deadline(clock, 100.0), lambda: None).done()
    clock.at_s = 1000.0
    watchdog.watch(Deadline(clock, 1.0), lambda: None)
    assert ended.wait(10)


def test_a_closed_watchdog_takes_nothing_more_and_has_no_thread() -> None:
    watchdog = Watchdog()
    watchdog.watch(Deadline.after(CLOCK, 3600), lambda: None)
    thread = watchdog._thread
    watchdog.close()
    watchdog.close()
    assert thread is not None
    assert not thread.is_alive()
    with pytest.raises(WatchdogClosed):
        watchdog.watch(Deadline.after(CLOCK, 1), lambda: None)
