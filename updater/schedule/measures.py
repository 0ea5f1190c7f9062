"""What attempts and cycles leave in the metrics (``runtime.md`` 5.2, 5.3) and in the summary line."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Mapping
from types import MappingProxyType

from updater.model.images import Counter
from updater.model.report import ApplicationReport, Report
from updater.ports.metrics import Metrics

ONE_FAILURE: Mapping[str, int] = MappingProxyType({"applications": 1, Counter.ERRORS.value: 1})
"""What an attempt that came to no report counts as."""


def measure_images(metrics: Metrics, report: ApplicationReport, *, is_dry_run: bool) -> None:
    """The images of one attempt; in a dry run nothing counts as updated."""
    key = str(report.key)
    considered = report.count(Counter.CONSIDERED)
    metrics.set("images_watched_total", considered, application=key)
    metrics.increase("images_considered_total", considered, application=key)
    metrics.increase("images_skipped_total", report.count(Counter.SKIPPED), application=key)
    metrics.increase("images_errors_total", report.count(Counter.ERRORS), application=key)
    metrics.increase("images_updated_total", 0 if is_dry_run else report.count(Counter.UPDATED), application=key)


def is_success(report: ApplicationReport) -> bool:
    """A finished attempt without an error, whether or not an image changed."""
    return report.count(Counter.ERRORS) == 0


class Totals:
    """Sums of finished attempts between two summary lines. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Tally[str] = Tally()

    def add(self, report: Report) -> None:
        with self._lock:
            self._sums.update(report.totals)

    def add_failure(self) -> None:
        """An attempt that came to no report."""
        with self._lock:
            self._sums.update(ONE_FAILURE)

    def take(self) -> dict[str, int]:
        """The sums since the last call, of everything that the summary line names; empty when nothing finished."""
        with self._lock:
            sums, self._sums = self._sums, Tally()
        if not sums["applications"]:
            return {}
        return {name: sums[name] for name in ("applications", *(counter.value for counter in Counter))}
