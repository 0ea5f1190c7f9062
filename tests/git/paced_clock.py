"""A clock for what ends by a deadline: a test lets everything before it take the time that it takes."""

from __future__ import annotations

from updater.clock import SystemClock


class PacedClock(SystemClock):
    """The real clock, until a test sets how many of its seconds go by in a real one."""

    def __init__(self) -> None:
        super().__init__()
        self._line = (0.0, 0.0, 1.0)
        """A moment of this clock, the real one of it, and the pace since then."""

    def monotonic_s(self) -> float:
        ours_s, real_s, pace = self._line
        return ours_s + (super().monotonic_s() - real_s) * pace

    def set_pace(self, pace: float) -> None:
        self._line = (self.monotonic_s(), super().monotonic_s(), pace)
