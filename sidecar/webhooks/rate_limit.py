"""How fast events are handed on: so many per hour, a few at once after a rest (``runtime.md`` 7.6)."""

from __future__ import annotations

BURST = 10
_HOUR_S = 3_600.0


class RateLimit:
    """Not thread-safe. ``per_hour`` 0 is no limit; the first ``BURST`` events run without delay."""

    def __init__(self, per_hour: int, now_s: float) -> None:
        self.per_hour = per_hour
        self._period_s = _HOUR_S / per_hour if per_hour else 0.0
        self._saved = float(BURST)
        self._since_s = now_s

    def delay_s(self, now_s: float) -> float:
        """Seconds until the next event may be handed on."""
        return max(0.0, (1.0 - self._balance(now_s)) * self._period_s)

    def spend(self, now_s: float) -> None:
        """One event was handed on."""
        self._saved = self._balance(now_s) - 1.0
        self._since_s = now_s

    def _balance(self, now_s: float) -> float:
        if not self._period_s:
            return float(BURST)
        return min(float(BURST), self._saved + (now_s - self._since_s) / self._period_s)
