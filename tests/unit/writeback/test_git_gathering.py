"""Intents that come one by one: who writes for whom, and when."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from tests.git.bench import intent_for
from updater.clock import Deadline, SystemClock
from updater.errors import WriteBackError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.writeback.git_gathering import Gathering, Pace
from updater.writeback.git_intents import GitIntent

_CLOCK = SystemClock()


class Writes:
    """Remembers what was written together; ``gate`` holds the first write up."""

    def __init__(self) -> None:
        self.together: list[int] = []
        self.gate = threading.Event()
        self.began = threading.Event()
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    def __call__(self, intents: Sequence[GitIntent]) -> Sequence[WriteBackResult]:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.together.append(len(intents))
        self.began.set()
        assert self.gate.wait(20)
        with self._lock:
            self.running -= 1
        return [WriteBackResult(intent.change_set, WriteOutcome.WRITTEN) for intent in intents]


def _submit(
    gathering: Gathering, writes: Writes, apps: Sequence[str], outcomes: list[object]
) -> list[threading.Thread]:
    def work(app: str) -> None:
        intent = intent_for("https://h.test/a", "1.0.0", app=app)
        try:
            outcomes.append(gathering.submit(intent, writes, Deadline.after(_CLOCK, 20)).outcome)
        except WriteBackError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=work, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    return threads


def test_what_comes_during_a_write_is_written_together_after_it() -> None:
    writes, outcomes = Writes(), list[object]()
    gathering = Gathering(Pace(0.0, 0.0, 1000), _CLOCK, threading.Event())
    threads = _submit(gathering, writes, ["first"], outcomes)
    assert writes.began.wait(20)
    threads += _submit(gathering, writes, [f"app{number}" for number in range(8)], outcomes)
    while len(next(iter(gathering._queues.values())).waiting) < 8:
        threading.Event().wait(0.005)
    writes.gate.set()
    for thread in threads:
        thread.join()
    assert writes.together == [1, 8]
    assert writes.most_running == 1
    assert outcomes == [WriteOutcome.WRITTEN] * 9
    assert gathering._queues == {}


def test_a_full_queue_does_not_wait() -> None:
    writes, outcomes = Writes(), list[object]()
    writes.gate.set()
    gathering = Gathering(Pace(3600.0, 3600.0, 3), _CLOCK, threading.Event())
    for thread in _submit(gathering, writes, "abc", outcomes):
        thread.join()
    assert writes.together == [3]


def test_shutdown_ends_the_wait() -> None:
    writes, stopping, outcomes = Writes(), threading.Event(), list[object]()
    writes.gate.set()
    stopping.set()
    for thread in _submit(Gathering(Pace(3600.0, 3600.0, 1000), _CLOCK, stopping), writes, "a", outcomes):
        thread.join()
    assert outcomes == [WriteOutcome.WRITTEN]


def test_a_failure_reaches_everybody_who_waited() -> None:
    outcomes: list[object] = []
    gathering = Gathering(Pace(3600.0, 3600.0, 2), _CLOCK, threading.Event())

    def fail(_intents: Sequence[GitIntent]) -> Sequence[WriteBackResult]:
        raise WriteBackError("no", code="push_denied")

    for thread in _submit(gathering, fail, "ab", outcomes):  # type: ignore[arg-type]  # any writer will do
        thread.join()
    assert outcomes == ["push_denied"] * 2


def test_a_caller_whose_time_is_over_leaves_the_queue() -> None:
    gathering = Gathering(Pace(3600.0, 3600.0, 1000), _CLOCK, threading.Event())
    with pytest.raises(WriteBackError) as raised:
        gathering.submit(intent_for("https://h.test/a", "1"), lambda _: [], Deadline.after(_CLOCK, 0.05))
    assert raised.value.code == "timeout"
    assert gathering._queues == {}


def test_hundreds_that_wait_are_written_in_few_pushes_and_one_at_a_time() -> None:
    writes, outcomes = Writes(), list[object]()
    gathering = Gathering(Pace(0.0, 0.0, 120), _CLOCK, threading.Event())
    threads = _submit(gathering, writes, ["first"], outcomes)
    assert writes.began.wait(20)
    threads += _submit(gathering, writes, [f"app{number}" for number in range(300)], outcomes)
    while len(next(iter(gathering._queues.values())).waiting) < 300:
        threading.Event().wait(0.005)
    writes.gate.set()
    for thread in threads:
        thread.join()
    assert writes.together == [1, 120, 120, 60]
    assert writes.most_running == 1
    assert outcomes == [WriteOutcome.WRITTEN] * 301
    assert gathering._queues == {}


class StoppedClock(SystemClock):
    """Time stands where the test put it."""

    at_s = 0.0

    def monotonic_s(self) -> float:
        return self.at_s


def test_the_next_one_leads_when_the_first_gives_up() -> None:
    writes, outcomes, clock = Writes(), list[object](), StoppedClock()
    writes.gate.set()
    gathering = Gathering(Pace(3600.0, 3600.0, 3), _CLOCK, threading.Event())

    def give_up() -> None:
        with pytest.raises(WriteBackError):
            gathering.submit(intent_for("https://h.test/a", "1", app="first"), writes, Deadline(clock, 0.01))

    first = threading.Thread(target=give_up)
    first.start()
    while not gathering._queues:
        threading.Event().wait(0.001)
    threads = _submit(gathering, writes, "a", outcomes)
    while len(next(iter(gathering._queues.values())).waiting) < 2:
        threading.Event().wait(0.001)
    clock.at_s = 1.0
    first.join()
    threads += _submit(gathering, writes, "bc", outcomes)
    for thread in threads:
        thread.join()
    assert (outcomes, writes.together) == ([WriteOutcome.WRITTEN] * 3, [3])
    assert gathering._queues == {}


def test_a_caller_behind_a_writer_leaves_at_its_deadline_and_costs_the_others_nothing() -> None:
    writes, outcomes = Writes(), list[object]()
    gathering = Gathering(Pace(0.0, 0.0, 1000), _CLOCK, threading.Event())
    threads = _submit(gathering, writes, ["first"], outcomes)
    assert writes.began.wait(20)
    with pytest.raises(WriteBackError) as raised:
        gathering.submit(intent_for("https://h.test/a", "1", app="late"), writes, Deadline.after(_CLOCK, 0.05))
    assert raised.value.code == "timeout"
    writes.gate.set()
    for thread in threads:
        thread.join()
    assert (outcomes, writes.together, gathering._queues) == ([WriteOutcome.WRITTEN], [1], {})
