"""Records that repeat: the first is written, then at most one a minute with the number of those left out.

Somebody who sends a thousand wrong secrets a second must not fill the disk, and the one line must still say why.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from updater.clock import Clock

SILENCE_S = 60.0
_MOST_CAUSES = 256
"""Causes are made of closed sets, far fewer than this; beyond it everything is one cause."""

Cause = tuple[str, ...]
_OTHERS: Cause = ("others",)


@dataclass(slots=True)
class _Told:
    at_s: float
    left_out: int = 0


class Repeats:
    """Counts by cause. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[Cause, _Told] = {}

    def news(self, cause: Cause) -> int | None:
        """None when a record of this cause was written less than a minute ago, else how many were left out since."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            if cause not in self._told and len(self._told) >= _MOST_CAUSES:
                cause = _OTHERS
            told = self._told.get(cause)
            if told is not None and now_s - told.at_s < SILENCE_S:
                told.left_out += 1
                return None
            self._told[cause] = _Told(now_s)
            return told.left_out if told is not None else 0
