"""Waiting, merging, pacing and handing on of events (``runtime.md`` 7.6), and the records that repeat."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.webhooks.processor import EventProcessor
from sidecar.webhooks.rate_limit import BURST, RateLimit
from sidecar.webhooks.repeats import Repeats
from sidecar.webhooks.waiting import COALESCE_S, Put, WaitingEvents
from tests.sidecar.webhooks.places import HeardNudges, RecordedLog, RecordedMetrics
from updater.clock import Deadline, SystemClock
from updater.errors import RegistryError
from updater.ports.nudges import PushEvent


class FrozenClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.at_s

    def wait_s(self, seconds: float) -> bool:
        raise AssertionError("nobody waits here")

    def uniform(self, low: float, high: float) -> float:
        return low


def event(name: str, tag: str = "1") -> PushEvent:
    return PushEvent("r.io", name, tag)


def test_events_about_one_repository_are_merged_while_they_wait() -> None:
    waiting = WaitingEvents()
    assert [waiting.put(event("a", tag), 0.0) for tag in "123"] == [Put.QUEUED, Put.MERGED, Put.MERGED]
    assert waiting.put(PushEvent("other.io", "a"), 0.0) is Put.QUEUED
    assert waiting.take(0.0) == event("a", "1")
    assert waiting.take(0.0) == PushEvent("other.io", "a")
    assert waiting.take(0.0) is None


def test_the_first_event_is_ready_at_once_and_the_next_after_a_while() -> None:
    waiting = WaitingEvents()
    waiting.put(event("a"), 10.0)
    assert waiting.take(10.0) is not None
    waiting.put(event("a", "2"), 10.5)
    assert waiting.put(event("a", "3"), 10.6) is Put.MERGED
    assert waiting.next_s() == 10.0 + COALESCE_S
    assert waiting.take(11.9) is None
    waiting.put(event("b"), 11.9)
    assert waiting.take(11.9) == event("b"), "who is ready does not wait for who is not"
    assert waiting.take(12.0) == event("a", "2")


def test_a_full_queue_keeps_what_it_has() -> None:
    waiting = WaitingEvents(limit=2)
    assert [waiting.put(event(name), 0.0) for name in "abcab"] == [
        Put.QUEUED,
        Put.QUEUED,
        Put.DROPPED,
        Put.MERGED,
        Put.MERGED,
    ]
    assert [waiting.take(0.0), waiting.take(0.0), waiting.take(0.0)] == [event("a"), event("b"), None]


steps = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3), st.booleans()), max_size=40)


@settings(max_examples=50)
@given(steps)
def test_no_repository_is_handed_on_twice_within_the_time_and_none_is_lost(
    given_steps: list[tuple[str, float, bool]],
) -> None:
    waiting, now_s = WaitingEvents(), 0.0
    put: Counter[str] = Counter()
    taken: dict[str, list[float]] = {}
    for name, pause_s, is_put in given_steps:
        now_s += pause_s
        if is_put and waiting.put(event(name), now_s) is Put.QUEUED:
            put[name] += 1
        elif not is_put and (found := waiting.take(now_s)) is not None:
            taken.setdefault(found.repository, []).append(now_s)
    while (found := waiting.take(now_s, is_last_call=True)) is not None:
        taken.setdefault(found.repository, []).append(float("inf"))
    assert Counter({name: len(times) for name, times in taken.items()}) == put
    assert all(later - sooner >= COALESCE_S for times in taken.values() for sooner, later in pairwise(times))


def test_what_was_handed_on_long_ago_is_forgotten() -> None:
    waiting = WaitingEvents()
    for number in range(500):
        waiting.put(event(str(number)), float(number))
        assert waiting.take(float(number)) is not None
    assert len(waiting._taken_s) <= COALESCE_S + 1


def test_no_more_than_the_rate_after_a_burst() -> None:
    rate, now_s, times = RateLimit(3_600, 0.0), 0.0, []
    for _ in range(BURST + 5):
        now_s += rate.delay_s(now_s)
        rate.spend(now_s)
        times.append(round(now_s, 6))
    assert times == [0.0] * BURST + [1.0, 2.0, 3.0, 4.0, 5.0]
    now_s += 3_600
    assert rate.delay_s(now_s) == 0
    for _ in range(BURST):
        rate.spend(now_s)
    assert rate.delay_s(now_s) == pytest.approx(1.0)


def test_without_a_limit_nothing_waits() -> None:
    rate = RateLimit(0, 0.0)
    for _ in range(1_000):
        rate.spend(0.0)
    assert rate.delay_s(0.0) == 0


def test_a_record_is_written_once_a_minute_with_the_number_of_those_left_out() -> None:
    clock = FrozenClock()
    repeats = Repeats(clock)
    assert [repeats.news(("a",)) for _ in range(5)] == [0, None, None, None, None]
    assert repeats.news(("b",)) == 0
    clock.at_s += 60
    assert [repeats.news(("a",)), repeats.news(("a",))] == [4, None]


def test_causes_are_bounded() -> None:
    repeats = Repeats(FrozenClock())
    assert sum(repeats.news((str(number),)) is not None for number in range(10_000)) <= 257
    assert len(repeats._told) <= 257


class Handed:
    """A processor with everything that it is given."""

    def __init__(self, *, per_hour: int = 0, nudges: HeardNudges | None = None) -> None:
        self.nudges, self.log, self.metrics = nudges or HeardNudges(), RecordedLog(), RecordedMetrics()
        self.clock = SystemClock()
        self.processor = EventProcessor(self.nudges, per_hour, self.clock, self.log, self.metrics)

    def drain(self) -> bool:
        return self.processor.drain(Deadline.after(self.clock, 20))

    def end(self) -> None:
        self.processor.stop()
        self.processor.join(20)


def test_events_wait_until_the_fleet_is_known_and_are_handed_on_in_order() -> None:
    handed = Handed()
    handed.processor.start()
    for name in "cab":
        handed.processor.put(event(name))
    assert handed.nudges.heard == []
    handed.processor.open()
    assert handed.drain()
    assert [each.repository for each in handed.nudges.heard] == ["c", "a", "b"]
    handed.end()


def test_the_last_call_waits_for_what_is_on_its_way_and_ignores_the_rate() -> None:
    handed = Handed(per_hour=1)
    handed.nudges.gate.clear()
    handed.processor.start()
    handed.processor.open()
    for number in range(BURST + 5):
        handed.processor.put(event(str(number)))
    assert handed.nudges.entered.wait(20)
    assert not handed.processor.drain(Deadline.after(handed.clock, 0.01))
    handed.nudges.gate.set()
    assert handed.drain()
    assert len(handed.nudges.heard) == BURST + 5
    handed.end()


def test_a_rate_that_is_set_again_allows_no_second_burst() -> None:
    handed = Handed(per_hour=1)
    handed.processor.start()
    handed.processor.open()
    for number in range(BURST + 1):
        handed.processor.put(event(str(number)))
    handed.processor.limit(1)
    assert handed.nudges.wait_for(BURST)
    assert len(handed.processor._waiting) == 1
    handed.end()


def test_a_new_rate_holds_at_once() -> None:
    handed = Handed(per_hour=1)
    handed.processor.start()
    handed.processor.open()
    for number in range(BURST + 1):
        handed.processor.put(event(str(number)))
    handed.processor.limit(0)
    assert handed.drain()
    assert len(handed.nudges.heard) == BURST + 1
    handed.end()


@pytest.mark.parametrize(
    ("error", "record"), [(RegistryError("no such name"), "webhook_failed"), (RuntimeError("a bug"), "bug_found")]
)
def test_an_event_that_fails_is_told_and_the_next_is_handed_on(error: Exception, record: str) -> None:
    class Failing(HeardNudges):
        def nudge(self, event: PushEvent) -> int:
            super().nudge(event)
            raise error

    handed = Handed(nudges=Failing())
    handed.processor.start()
    handed.processor.open()
    handed.processor.put(event("a"))
    handed.processor.put(event("b"))
    assert handed.drain()
    assert len(handed.nudges.heard) == 2
    assert handed.log.events("error") == [record, record]
    assert handed.metrics.of("webhook_events_total", result="failed") == 2
    handed.end()


def test_a_full_queue_is_one_warning_a_minute() -> None:
    handed = Handed()
    for number in range(1_500):
        handed.processor.put(event(str(number)))
    assert handed.log.events("warning") == ["webhook_event_dropped"]
    assert handed.metrics.of("webhook_events_total", result="dropped") == 500
    assert handed.metrics.of("webhook_queue_length") == 1_000
    handed.end()
    assert handed.log.events("warning") == ["webhook_event_dropped", "webhook_events_left"]


def test_a_processor_that_was_never_started_ends() -> None:
    handed = Handed()
    handed.processor.put(event("a"))
    assert handed.drain(), "nothing is known of the fleet, so nothing can be finished"
    handed.end()
    assert threading.active_count() < 50
