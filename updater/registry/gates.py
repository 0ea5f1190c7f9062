"""Gates: origins that asked not to be asked for a while (``registries.md`` 4.2).

A closed gate gives the worker back: who would have to wait for long gets an error with the time to come back, and the
image is unknown until then. Short waits are waited, so that one stray refusal does not cost a round.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cachetools import LRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryUnavailable, RegistryUnreachable

MAX_GATES = 5_000
MAX_WAIT_S = 10.0
"""The longest wait that is worth holding a worker for."""
FIRST_S = 5.0
LONGEST_S = 300.0
"""Bounds of the doubling time where a refusal names none."""
_JITTER = (0.7, 1.3)
_FORGIVEN_AFTER = 10
"""Answers after which the doubling starts over."""


class Route(Enum):
    """Why an origin is asked: what is counted and paced apart."""

    __hash__ = object.__hash__  # members are single objects; the parent's way is in Python, and every key has one

    API = "api"
    TOKEN = "token"  # noqa: S105 - a word
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class GateKey:
    """``pull_id``: the credentials whose pulls are limited, empty for everything an origin serves."""

    route: Route
    origin: str
    pull_id: str = ""


@dataclass(slots=True)
class _Gate:
    opens_at_s: float = 0.0
    refusals: int = 0
    answers: int = 0


class Gates:
    """Thread-safe; the lock is never held during a wait. While no gate is closed it costs nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: LRUCache[GateKey, _Gate] = LRUCache(MAX_GATES)

    def pass_through(self, keys: Iterable[GateKey], where: str, deadline: Deadline) -> None:
        """Return when every gate is open.

        Raises ``RegistryUnavailable`` with code ``rate_limited`` at once when that would take too long.
        """
        for key in keys:
            wait_s = self.closed_for_s(key)
            if wait_s <= 0:
                continue
            if wait_s > min(MAX_WAIT_S, deadline.remaining_s()):
                raise RegistryUnavailable(
                    f"the registry asked not to be asked for another {wait_s:.0f} s",
                    where=where,
                    code="rate_limited",
                    retry_after_s=wait_s,
                )
            if not self._clock.wait_s(wait_s):
                raise RegistryUnreachable("the updater is shutting down", where=where, code="cancelled")

    def closed_for_s(self, key: GateKey) -> float:
        """Seconds until the gate opens; zero when it is open."""
        if not self._gates:
            return 0.0
        with self._lock:
            gate = self._gates.get(key)
            return max(0.0, gate.opens_at_s - self._clock.monotonic_s()) if gate is not None else 0.0

    def refused(self, key: GateKey, retry_after_s: float | None) -> float:
        """Close a gate for what the answer asks for, else for a time that doubles; returns the seconds."""
        factor = self._clock.uniform(*_JITTER)
        with self._lock:
            gate = self._gates.setdefault(key, _Gate())
            grown_s = min(LONGEST_S, FIRST_S * 2.0 ** min(gate.refusals, 30)) * factor
            seconds = grown_s if retry_after_s is None else retry_after_s
            gate.opens_at_s = max(gate.opens_at_s, self._clock.monotonic_s() + seconds)
            gate.refusals += 1
            gate.answers = 0
        return seconds

    def answered(self, key: GateKey) -> bool:
        """A request got through; whether it is the first since the gate was closed."""
        if not self._gates:
            return False
        with self._lock:
            gate = self._gates.get(key)
            if gate is None:
                return False
            gate.answers += 1
            if gate.answers >= _FORGIVEN_AFTER:
                del self._gates[key]
            return gate.answers == 1

    def forget(self, origin: str) -> None:
        """The configuration of an origin has changed: ask it afresh."""
        with self._lock:
            for key in [key for key in self._gates if key.origin == origin]:
                del self._gates[key]
