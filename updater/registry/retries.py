"""Repeating what may succeed a moment later, at exactly one layer per kind of request (``registries.md`` 5.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cachetools import LRUCache

from updater.clock import Backoff, Clock, Deadline
from updater.errors import RegistryError
from updater.registry.endpoints import Endpoint
from updater.registry.failures import may_be_repeated
from updater.registry.gates import MAX_WAIT_S
from updater.registry.measures import RegistryMeasures

BUDGET_WINDOW_S = 60.0
BUDGET_SHARE = 0.2
BUDGET_LEAST = 10
"""At most a fifth of the requests of a minute, or ten, are repeats: an outage must not double the load."""
_MAX_ORIGINS = 1_000

T = TypeVar("T")


@dataclass(slots=True)
class _Window:
    began_s: float
    requests: int = 0
    repeats: int = 0


class RetryBudget:
    """How many repeats each origin has left. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: LRUCache[str, _Window] = LRUCache(_MAX_ORIGINS)

    def note_request(self, origin: str) -> None:
        """A first attempt."""
        with self._lock:
            self._window(origin).requests += 1

    def take(self, origin: str) -> bool:
        """Whether one more repeat is allowed; it is then taken."""
        with self._lock:
            window = self._window(origin)
            if window.repeats >= max(BUDGET_LEAST, window.requests * BUDGET_SHARE):
                return False
            window.repeats += 1
            return True

    def _window(self, origin: str) -> _Window:
        now_s = self._clock.monotonic_s()
        window = self._windows.get(origin)
        if window is None or now_s - window.began_s >= BUDGET_WINDOW_S:
            window = self._windows[origin] = _Window(now_s)
        return window


class Attempts:
    """Runs operations until they succeed or must not be repeated. Thread-safe."""

    def __init__(self, clock: Clock, measures: RegistryMeasures) -> None:
        self._clock = clock
        self._measures = measures
        self._budget = RetryBudget(clock)

    def run(self, operation: str, endpoint: Endpoint, backoff: Backoff, deadline: Deadline, work: Callable[[], T]) -> T:
        """The result of ``work``; the last error when attempts, budget or time run out.

        What a server asks for in Retry-After is a lower bound of the wait. A wait that the deadline does not allow, or
        that would hold a worker for long, is not begun; one that the shutdown ends is the last.
        """
        self._budget.note_request(endpoint.api_origin)
        failed_attempts = 0
        while True:
            try:
                return work()
            except RegistryError as error:
                failed_attempts += 1
                delay_s = self._delay_s(error, failed_attempts, endpoint, backoff, deadline)
                self._measures.attempt_failed(endpoint.api_url, error, deadline, is_last=delay_s is None)
                if delay_s is None or not self._clock.wait_s(delay_s):
                    raise
                self._measures.repeated(endpoint.api_url, operation)

    def _delay_s(
        self, error: RegistryError, failed_attempts: int, endpoint: Endpoint, backoff: Backoff, deadline: Deadline
    ) -> float | None:
        """How long to wait before the next attempt, None when there is none."""
        if failed_attempts >= backoff.attempts or not may_be_repeated(error, failed_attempts):
            return None
        asked_s = error.retry_after_s or 0.0
        delay_s = backoff.delay_s(failed_attempts - 1, self._clock, at_least_s=asked_s)
        if asked_s > MAX_WAIT_S or delay_s >= deadline.remaining_s():
            return None
        return delay_s if self._budget.take(endpoint.api_origin) else None
