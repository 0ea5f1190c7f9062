"""How long Applications take in a round (``runtime.md`` 5.3): there all attempts begin with the round."""

from __future__ import annotations

from updater.clock import Clock
from updater.ports.metrics import Metrics
from updater.ports.progress import Progress


class RoundTimes:
    """A ``Progress`` that measures, and passes on to another. For one round."""

    def __init__(self, progress: Progress, metrics: Metrics, clock: Clock) -> None:
        self._progress = progress
        self._metrics = metrics
        self._clock = clock
        self._began_s = clock.monotonic_s()

    def started(self, total: int) -> None:
        self._progress.started(total)

    def advanced(self, key: str) -> None:
        seconds = self._clock.monotonic_s() - self._began_s
        self._metrics.observe("application_update_duration_seconds", seconds, application=key)
        self._progress.advanced(key)

    def finished(self) -> None:
        self._progress.finished()
