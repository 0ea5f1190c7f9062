"""Refused credentials, believed for longer each time, so that repeated attempts do not lock an account.

Rules: ``registries.md`` 4.1: per repository and credentials, 1 minute doubling to 15. Other credentials have another
key and are tried at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum

from cachetools import LRUCache

from updater.clock import Clock
from updater.errors import RegistryAuthError
from updater.registry.polls import PollKey


class Ask(Enum):
    """What was refused. Who may not list may not read either; a manifest alone may be locked away."""

    LIST = "list"
    READ = "read"


FIRST_S = 60.0
LONGEST_S = 15 * 60.0
MAX_REFUSALS = 20_000


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: RegistryAuthError
    count: int
    until_s: float


class Refusals:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._refusals: LRUCache[tuple[PollKey, Ask], _Refusal] = LRUCache(MAX_REFUSALS)

    def check(self, key: PollKey, ask: Ask) -> None:
        """Raise the last refusal while it is believed."""
        with self._lock:
            known = [self._refusals.get((key, refused)) for refused in {Ask.LIST, ask}]
        for refusal in known:
            if refusal is not None and self._clock.monotonic_s() < refusal.until_s:
                raise refusal.error.with_traceback(None)

    def note(self, key: PollKey, ask: Ask, error: RegistryAuthError) -> None:
        """The credentials were refused."""
        with self._lock:
            before = self._refusals.get((key, ask))
            count = before.count + 1 if before is not None else 1
            seconds = min(LONGEST_S, FIRST_S * 2.0 ** min(count - 1, 30))
            self._refusals[key, ask] = _Refusal(error, count, self._clock.monotonic_s() + seconds)

    def clear(self, key: PollKey, ask: Ask) -> None:
        """The credentials were taken."""
        with self._lock:
            self._refusals.pop((key, ask), None)
