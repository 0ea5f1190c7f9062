"""How fast and how much at a time: requests per second of an endpoint, requests on their way to an origin.

Rules: ``registries.md`` 5.1 and 5.2. The order is slot, then rate: a slot is held until the body is read, and never
while a token is fetched, so a stuck token service cannot block its registry.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from cachetools import LRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryUnreachable

BURST = 10
"""Unused turns that are saved up."""
MAX_ORIGINS = 1_000


class RequestRate:
    """One turn every ``1 / per_s`` seconds, up to ten saved (GCRA). Thread-safe."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        self._clock = clock
        self._interval_s = 1.0 / per_s
        self._lock = threading.Lock()
        self._next_s = float("-inf")

    def take(self, where: str, deadline: Deadline) -> None:
        """Return when it is our turn; raises ``RegistryUnreachable`` when that is after the deadline."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            turn_s = max(self._next_s, now_s - BURST * self._interval_s)
            wait_s = turn_s - now_s
            if wait_s > deadline.remaining_s():
                raise _too_late("our own limit of requests per second leaves no turn before the deadline", where)
            self._next_s = turn_s + self._interval_s
        if wait_s > 0 and not self._clock.wait_s(wait_s):
            raise RegistryUnreachable("the updater is shutting down", where=where, code="cancelled")


class RequestRates:
    """A rate per key. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rates: LRUCache[Hashable, RequestRate] = LRUCache(MAX_ORIGINS)

    def take(self, key: Hashable, per_s: float, where: str, deadline: Deadline) -> None:
        """Wait for a turn of ``key``; ``per_s`` of zero or less is no limit. Raises as ``RequestRate.take``."""
        if per_s <= 0:
            return
        with self._lock:
            rate = self._rates.get((key, per_s))
            if rate is None:
                rate = self._rates[key, per_s] = RequestRate(self._clock, per_s)
        rate.take(where, deadline)


class RequestSlots:
    """How many requests may be on their way: to each key, and in all. Thread-safe."""

    def __init__(self, in_all: int) -> None:
        self._in_all = threading.BoundedSemaphore(in_all)
        self._lock = threading.Lock()
        self._slots: LRUCache[Hashable, threading.BoundedSemaphore] = LRUCache(MAX_ORIGINS)

    @contextmanager
    def hold(self, key: Hashable, size: int, where: str, deadline: Deadline) -> Iterator[None]:
        """Hold a slot of ``key``, which has ``size`` of them; raises ``RegistryUnreachable`` when none gets free."""
        with self._lock:
            slots = self._slots.setdefault(key, threading.BoundedSemaphore(size))
        # The key's own slot first: whoever waits for a slow origin holds nothing that others need.
        for slot, held in ((slots, ()), (self._in_all, (slots,))):
            if not slot.acquire(timeout=deadline.remaining_s()):
                for other in held:
                    other.release()
                raise _too_late("no connection became free before the deadline", where)
        try:
            yield
        finally:
            self._in_all.release()
            slots.release()


def _too_late(what: str, where: str) -> RegistryUnreachable:
    return RegistryUnreachable(what, where=where, code="registry_timeout")
