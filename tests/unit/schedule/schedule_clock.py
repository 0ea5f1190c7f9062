"""Clocks for tests of scheduling."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from updater.clock import SystemClock


class ManualClock:
    """Time that moves when a test says so. A wait moves it too, and is remembered; no jitter unless a test sets it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds = 1000.0
        self.waits: list[float] = []
        self.jitter = 0.0
        """Where in its range a random number lies: 0 is the low end, 1 the high end."""
        self.is_stopping = False

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic_s(self) -> float:
        return self.seconds

    def wait_s(self, seconds: float) -> bool:
        with self._lock:
            self.waits.append(seconds)
            self.seconds += seconds
        return not self.is_stopping

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.jitter

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds


class SteppedClock(SystemClock):
    """The real clock, whose wall time can be stepped, and whose jitter is the test's; ``drawn`` are its ranges."""

    def __init__(self) -> None:
        super().__init__()
        self.step = timedelta()
        self.jitter = 0.0
        self.drawn: list[tuple[float, float]] = []

    def uniform(self, low: float, high: float) -> float:
        self.drawn.append((low, high))
        return low + (high - low) * self.jitter

    def now(self) -> datetime:
        return super().now() + self.step
