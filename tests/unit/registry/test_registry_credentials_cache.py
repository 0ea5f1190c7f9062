"""Keeping credentials: lifetimes, background refresh, one fetch at a time, failures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.registry.conftest import ManualClock
from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.ports.log import NullLog
from updater.registry.credential_cache import BackgroundThreads, LeaseCache
from updater.registry.credential_values import Lease


class Log(NullLog):
    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def warning(self, event: str, /, **fields: Any) -> None:
        self.lines.append((event, fields))

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Any) -> None:
        self.lines.append((event, exception or fields))


class Kept:
    """A cache whose background work waits until the test runs it; values are numbered."""

    def __init__(self, clock: ManualClock, lifetime_s: float | None = 100.0) -> None:
        self.clock, self.log = clock, Log()
        self.waiting: list[Callable[[], None]] = []
        self.cache: LeaseCache[int] = LeaseCache(clock, self.log, self.waiting.append)
        self.lifetime_s = lifetime_s
        self.fetched = 0
        self.error: Exception | None = None

    def fetch(self, deadline: Deadline) -> Lease[int]:
        assert not deadline.has_passed
        self.fetched += 1
        if self.error is not None:
            raise self.error
        return Lease(self.fetched, self.lifetime_s)

    def get(self) -> int:
        return self.cache.get("key", Deadline.after(self.clock, 30.0), self.fetch)

    def renew(self) -> int:
        return self.cache.renew("key", Deadline.after(self.clock, 30.0), self.fetch)

    def run_background(self) -> None:
        while self.waiting:
            self.waiting.pop()()


@pytest.fixture
def kept(clock: ManualClock) -> Kept:
    return Kept(clock)


def test_a_value_serves_until_it_expires(kept: Kept) -> None:
    assert [kept.get(), kept.get()] == [1, 1]
    kept.clock.at_s += 79.0
    assert (kept.get(), kept.waiting) == (1, [])
    kept.clock.at_s += 21.0
    assert kept.get() == 2


def test_a_value_without_end_serves_for_ever(clock: ManualClock) -> None:
    kept = Kept(clock, lifetime_s=None)
    kept.get()
    clock.at_s += 1e9
    assert (kept.get(), kept.waiting) == (1, [])


def test_after_four_fifths_one_refresh_runs_while_the_old_value_serves(kept: Kept) -> None:
    kept.get()
    kept.clock.at_s += 80.0
    assert [kept.get(), kept.get(), kept.get()] == [1, 1, 1]
    assert len(kept.waiting) == 1
    kept.run_background()
    assert (kept.get(), kept.fetched) == (2, 2)


def test_a_failed_refresh_is_logged_and_the_old_value_serves_until_its_end(kept: Kept) -> None:
    kept.get()
    kept.clock.at_s += 80.0
    kept.error = CredentialError("no")
    kept.get()
    kept.run_background()
    assert [event for event, _ in kept.log.lines] == ["credentials_refresh_failed"]
    assert (kept.get(), kept.waiting) == (1, [])
    kept.clock.at_s += 20.0
    with pytest.raises(CredentialError, match="no"):
        kept.get()


def test_a_bug_in_a_refresh_is_logged_with_its_exception(kept: Kept) -> None:
    kept.get()
    kept.clock.at_s += 80.0
    kept.error = ZeroDivisionError()
    kept.get()
    kept.run_background()
    assert kept.log.lines == [("credentials_refresh_broken", kept.error)]
    kept.error = None
    kept.get()
    kept.run_background()
    assert kept.get() == 3


def test_a_failure_is_believed_for_a_moment(kept: Kept) -> None:
    kept.error = CredentialError("no")
    for _ in range(3):
        with pytest.raises(CredentialError):
            kept.get()
    assert kept.fetched == 1
    kept.error = None
    kept.clock.at_s += 30.0
    assert kept.get() == 2


def test_a_caller_without_time_teaches_nothing(kept: Kept) -> None:
    def too_late(deadline: Deadline) -> Lease[int]:
        kept.clock.at_s += deadline.remaining_s()
        raise CredentialError("late")

    with pytest.raises(CredentialError, match="late"):
        kept.cache.get("key", Deadline.after(kept.clock, 1.0), too_late)
    assert kept.get() == 1


def test_a_refused_value_is_renewed_at_most_once_a_minute(kept: Kept) -> None:
    assert (kept.get(), kept.renew()) == (1, 1)
    kept.clock.at_s += 60.0
    assert (kept.renew(), kept.renew(), kept.get()) == (2, 2, 2)


def test_a_failed_renewal_leaves_the_old_value(kept: Kept) -> None:
    kept.get()
    kept.clock.at_s += 60.0
    kept.error = CredentialError("no")
    for _ in range(2):
        with pytest.raises(CredentialError):
            kept.renew()
    assert (kept.get(), kept.fetched) == (1, 2)


def test_callers_at_the_same_time_share_one_fetch() -> None:
    clock = SystemClock()
    cache: LeaseCache[int] = LeaseCache(clock, NullLog(), lambda work: work())
    inside, go = threading.Event(), threading.Event()
    calls: list[int] = []
    found: list[int] = []

    def fetch(deadline: Deadline) -> Lease[int]:
        calls.append(len(calls))
        inside.set()
        assert go.wait(deadline.remaining_s())
        return Lease(7, 100.0)

    def caller() -> None:
        found.append(cache.get("key", Deadline.after(clock, 30.0), fetch))

    threads = [threading.Thread(target=caller) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert inside.wait(30.0)
    go.set()
    for thread in threads:
        thread.join(30.0)
    assert (found, len(calls)) == ([7] * 5, 1)


def test_threads_run_work_and_begin_none_after_their_end(kept: Kept) -> None:
    threads = BackgroundThreads()
    done = threading.Event()
    threads.start(done.set)
    assert done.wait(30.0)
    threads.close()
    cache: LeaseCache[int] = LeaseCache(kept.clock, kept.log, threads.start)
    cache.get("key", Deadline.after(kept.clock, 1.0), kept.fetch)
    kept.clock.at_s += 90.0
    assert cache.get("key", Deadline.after(kept.clock, 1.0), kept.fetch) == 1
