from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryAuthError, RegistryUnreachable
from updater.registry.flights import SingleFlight


class Gate:
    """A call that has begun and ends when the test says so."""

    def __init__(self, outcome: Callable[[], str]) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.calls = 0
        self._outcome = outcome

    def __call__(self) -> str:
        self.calls += 1
        self.begun.set()
        assert self.go_on.wait(10)
        return self._outcome()


def fail() -> str:
    raise RegistryAuthError("no")


class NoticingClock(SystemClock):
    """Tells when so many followers have asked how long they may wait, that is, have joined the flight."""

    def __init__(self, followers: int) -> None:
        super().__init__()
        self._joined = threading.Semaphore(0)
        self._followers = followers

    def monotonic_s(self) -> float:
        self._joined.release()
        return super().monotonic_s()

    def wait_for_all(self) -> None:
        for _ in range(self._followers):
            assert self._joined.acquire(timeout=10)


def start(flights: SingleFlight[str], gate: Gate, followers: int) -> tuple[ThreadPoolExecutor, list[Future[str]]]:
    """A leader inside its call, and followers that wait for it."""
    pool = ThreadPoolExecutor(followers + 1)
    clock = SystemClock()
    noticing = NoticingClock(followers)
    first = pool.submit(flights.fetch, "key", Deadline.after(clock, 10), gate)
    assert gate.begun.wait(10)
    patient = Deadline(noticing, clock.monotonic_s() + 10)
    futures = [pool.submit(flights.fetch, "key", patient, gate) for _ in range(followers)]
    noticing.wait_for_all()
    return pool, [first, *futures]


def test_every_follower_gets_the_value_of_one_call() -> None:
    gate = Gate(lambda: "value")
    pool, futures = start(SingleFlight(), gate, followers=4)
    with pool:
        gate.go_on.set()
        assert [future.result(10) for future in futures] == ["value"] * 5
    assert gate.calls == 1


def test_every_follower_gets_the_error() -> None:
    gate = Gate(fail)
    pool, futures = start(SingleFlight(), gate, followers=4)
    with pool:
        gate.go_on.set()
        assert [type(future.exception(10)) for future in futures] == [RegistryAuthError] * 5
    assert gate.calls == 1


def test_a_follower_waits_no_longer_than_its_own_deadline() -> None:
    gate = Gate(lambda: "value")
    flights: SingleFlight[str] = SingleFlight()
    pool, futures = start(flights, gate, followers=0)
    with pool:
        with pytest.raises(RegistryUnreachable) as raised:
            flights.fetch("key", Deadline.after(SystemClock(), 0), gate)
        assert raised.value.code == "registry_timeout"
        gate.go_on.set()
        assert futures[0].result(10) == "value"
    assert gate.calls == 1


def test_a_follower_takes_over_when_the_leader_has_run_out_of_time(clock: Any) -> None:
    flights: SingleFlight[str] = SingleFlight()
    gate = Gate(fail)
    leaders_time = Deadline.after(clock, 5)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(flights.fetch, "key", leaders_time, gate)
        assert gate.begun.wait(10)
        noticing = NoticingClock(1)
        patient = Deadline(noticing, SystemClock().monotonic_s() + 10)
        follower = pool.submit(flights.fetch, "key", patient, lambda: "mine")
        noticing.wait_for_all()
        clock.at_s += 6
        gate.go_on.set()
        assert isinstance(leader.exception(10), RegistryAuthError)
        assert follower.result(10) == "mine"


def test_different_keys_fly_apart() -> None:
    flights: SingleFlight[str] = SingleFlight()
    gate = Gate(lambda: "slow")
    pool, futures = start(flights, gate, followers=0)
    with pool:
        assert flights.fetch("other", Deadline.after(SystemClock(), 10), lambda: "quick") == "quick"
        gate.go_on.set()
        assert futures[0].result(10) == "slow"


def test_nothing_is_kept_after_landing() -> None:
    flights: SingleFlight[str] = SingleFlight()
    deadline = Deadline.after(SystemClock(), 10)
    values = iter("ab")
    assert [flights.fetch("key", deadline, lambda: next(values)) for _ in range(2)] == ["a", "b"]
