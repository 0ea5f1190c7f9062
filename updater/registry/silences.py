"""Origins that take requests and give no answers: after a few in a row, one request at a time asks whether it is over.

A request that nobody answers holds a worker for a minute. Where a fleet uses several registries, Applications of one
that hangs would soon hold every worker, and those of the others would wait behind them. So who comes while an origin
is silent gets its error at once, and after a pause one request, the scout, is let through.

Only silence counts: an origin that refuses connections at once costs nobody time.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from cachetools import LRUCache

from updater.clock import Clock
from updater.errors import RegistryUnreachable

MANY = 3
"""Requests in a row, without an answer to any other in between."""
SLOW_S = 5.0
"""What took less and brought nothing was a failure, but nobody waited long for it."""
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 60.0
SCOUT_S = 300.0
"""No request takes so long: a scout that has not been heard of by then is lost."""
_MAX_ORIGINS = 5_000


@dataclass(slots=True)
class _Silence:
    unanswered: int = 0
    pause_s: float = 0.0
    over_at_s: float = 0.0
    """When the next scout may go; also when the one that is out is lost."""
    has_scout: bool = False

    @property
    def is_believed(self) -> bool:
        return self.unanswered >= MANY

    def begin_pause(self, now_s: float) -> None:
        """The first one, or a longer one after a scout; stragglers from before the pause do not make it longer."""
        if self.pause_s and not self.has_scout:
            return
        self.pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self.pause_s))
        self.over_at_s = now_s + self.pause_s
        self.has_scout = False

    def send_scout(self, now_s: float) -> None:
        self.over_at_s = now_s + SCOUT_S
        self.has_scout = True


class Silences:
    """By any key that stands for an origin. Thread-safe. While all answer, as nearly always, it costs nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._silences: LRUCache[Hashable, _Silence] = LRUCache(_MAX_ORIGINS)

    def check(self, key: Hashable, where: str) -> None:
        """Raises ``RegistryUnreachable`` with code ``registry_silent`` when it is no use to ask now."""
        if not self._silences:
            return
        with self._lock:
            is_closed = self._is_closed(self._silences.get(key))
        if is_closed:
            raise _silent(where)

    def enter(self, key: Hashable, where: str) -> None:
        """Like ``check``, before a request that will be reported on; the first after a pause is the scout."""
        if not self._silences:
            return
        with self._lock:
            silence = self._silences.get(key)
            is_closed = self._is_closed(silence)
            if silence is not None and silence.is_believed and not is_closed:
                silence.send_scout(self._clock.monotonic_s())
        if is_closed:
            raise _silent(where)

    def answered(self, key: Hashable) -> None:
        """An answer came, whatever it said."""
        if not self._silences:
            return
        with self._lock:
            self._silences.pop(key, None)

    def unanswered(self, key: Hashable, seconds: float) -> None:
        """None came, and so many seconds were waited for it."""
        with self._lock:
            silence = self._silences.get(key)
            if silence is None:
                if seconds < SLOW_S:
                    return
                silence = self._silences[key] = _Silence()
            silence.unanswered += 1
            if silence.is_believed:
                silence.begin_pause(self._clock.monotonic_s())

    def forget(self, key: Hashable) -> None:
        """The configuration of an origin has changed: ask it afresh."""
        self.answered(key)

    def _is_closed(self, silence: _Silence | None) -> bool:
        return silence is not None and silence.is_believed and self._clock.monotonic_s() < silence.over_at_s


def _silent(where: str) -> RegistryUnreachable:
    return RegistryUnreachable(
        f"the registry has left {MANY} requests or more without an answer, and is not asked for now",
        where=where,
        hint="nothing needs to be done when it is back: one request at a time finds out",
        code="registry_silent",
    )
