"""Single-flight: callers who want the same thing at the same time share one call (``registries.md`` 5.3).

Not a cache: nothing is kept once the waiting callers have their answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from updater.clock import Deadline
from updater.errors import RegistryUnreachable
from updater.registry.measures import RegistryMeasures

V = TypeVar("V")


@dataclass(slots=True)
class _Flight(Generic[V]):
    """One call in progress. ``results`` holds its value when it had one; without value and error it was abandoned."""

    landed: threading.Event = field(default_factory=threading.Event)
    results: list[V] = field(default_factory=list)
    error: Exception | None = None


class SingleFlight(Generic[V]):
    """Calls by key. Thread-safe; the lock is never held while a call runs.

    ``kind`` is what is counted with ``measures``.
    """

    def __init__(self, kind: str = "", measures: RegistryMeasures | None = None) -> None:
        self._kind = kind
        self._measures = measures
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[V]] = {}

    def fetch(self, key: Hashable, deadline: Deadline, call: Callable[[], V]) -> V:
        """The value or the error of one call of ``call`` by whoever came first; everybody gets the same.

        A follower waits until its own deadline, then gets ``RegistryUnreachable``. When the leader gives up because
        its own time is over, a follower takes its place.
        """
        while True:
            flight, is_leader = self._join(key)
            if self._measures is not None:
                self._measures.flight(self._kind, is_leader=is_leader)
            if is_leader:
                return self._lead(key, flight, deadline, call)
            if not flight.landed.wait(deadline.remaining_s()):
                raise RegistryUnreachable("the same request by another caller took too long", code="registry_timeout")
            if flight.error is not None:
                raise flight.error.with_traceback(None)
            if flight.results:
                return flight.results[0]

    def _join(self, key: Hashable) -> tuple[_Flight[V], bool]:
        with self._lock:
            known = self._flights.get(key)
            if known is not None:
                return known, False
            flight = self._flights[key] = _Flight()
            return flight, True

    def _lead(self, key: Hashable, flight: _Flight[V], deadline: Deadline, call: Callable[[], V]) -> V:
        try:
            value = call()
            flight.results.append(value)
        except Exception as error:
            if not deadline.has_passed:
                flight.error = error
            raise
        finally:
            # Removed before the waiters wake, so that none of them joins a flight that is over.
            with self._lock:
                del self._flights[key]
            flight.landed.set()
        return value
