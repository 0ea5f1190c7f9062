"""Counting calls that failed because the machine had no local port left (``registries.md`` 5.7).

Above a threshold within a window the process is sick: restarting it frees its sockets, which is what liveness is for.
"""

from __future__ import annotations

import threading
from collections import deque

from updater.clock import Clock


class PortExhaustion:
    """Thread-safe. Asked by the health endpoint, told by the registry client."""

    def __init__(self, clock: Clock, *, window_s: float = 60.0, threshold: int = 8) -> None:
        self._clock = clock
        self._window_s = window_s
        self._lock = threading.Lock()
        self._events: deque[float] = deque(maxlen=threshold)

    def record(self) -> bool:
        """One more failed call; whether it is the first within the window."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            is_first = not self._events or now_s - self._events[-1] >= self._window_s
            self._events.append(now_s)
        return is_first

    @property
    def is_critical(self) -> bool:
        """Whether the threshold was reached by events newer than the window."""
        with self._lock:
            is_full = len(self._events) == self._events.maxlen
            return is_full and self._clock.monotonic_s() - self._events[0] < self._window_s
