"""How long Applications take in a round (``runtime.md`` 5.3), and that it goes on: there all attempts begin with it."""

from __future__ import annotations

from collections.abc import Callable

from updater.clock import Clock
from updater.ports.metrics import Metrics
from updater.ports.progress import Progress


class RoundTimes:
    """A ``Progress`` that measures, and passes on to another. For one round.

    ``on_work`` hears, from any thread, whenever something has been done: a registry asked, or an Application finished.
    """

    def __init__(self, progress: Progress, metrics: Metrics, clock: Clock, on_work: Callable[[], None]) -> None:
        self._progress = progress
        self._metrics = metrics
        self._clock = clock
        self._on_work = on_work
        self._began_s = clock.monotonic_s()

    def started(self, total: int) -> None:
        self._progress.started(total)

    def polled(self) -> None:
        self._on_work()
        self._progress.polled()

    def advanced(self, key: str) -> None:
        self._on_work()
        seconds = self._clock.monotonic_s() - self._began_s
        self._metrics.observe("application_update_duration_seconds", seconds, application=key)
        self._progress.advanced(key)

    def finished(self) -> None:
        self._progress.finished()
