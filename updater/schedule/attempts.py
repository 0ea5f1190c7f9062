"""One attempt at one Application in continuous mode: processed, measured, recorded; the one catching place of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from updater.clock import Clock, render_duration
from updater.errors import UpdaterError
from updater.model.applications import ApplicationSnapshot
from updater.model.report import Report
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.schedule.fleet import KnownFleet
from updater.schedule.measures import ONE_FAILURE, Totals, is_success, measure_images

ProcessOne = Callable[[ApplicationSnapshot], Report]
"""Everything about one Application, up to its writes; several run at a time. May raise ``UpdaterError``."""

Counted = Callable[[str, Mapping[str, int]], None]
"""Hears what an attempt at an Application came to, by the names of the summary line."""


def _nobody_counts(key: str, counts: Mapping[str, int]) -> None:
    del key, counts


class Attempts:
    """What workers run. Thread-safe."""

    def __init__(
        self,
        fleet: KnownFleet,
        process: ProcessOne,
        metrics: Metrics,
        clock: Clock,
        log: EventLog,
        counted: Counted = _nobody_counts,
    ) -> None:
        self._fleet = fleet
        self._process = process
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._counted = counted
        self._ended_s: float | None = None
        self.totals = Totals()

    @property
    def ended_s(self) -> float | None:
        """When an attempt or a part of one last ended, on the monotonic clock; None before the first."""
        return self._ended_s

    def note_work(self) -> None:
        """A part of an attempt has been done. Any thread."""
        self._ended_s = self._clock.monotonic_s()

    def run(self, key: str) -> bool:
        """Whether the attempt was a success; of an Application that has left the fleet nothing is done."""
        snapshot = self._fleet.find(key)
        if snapshot is None:
            return True
        log = self._log.bind(application=key, namespace=snapshot.key.namespace)
        log.info("application_started")
        began_s = self._clock.monotonic_s()
        report = self._report(snapshot, log)
        # One assignment of a float: the last worker to get here wins, which is what is asked for.
        self._ended_s = ended_s = self._clock.monotonic_s()
        seconds = ended_s - began_s
        succeeded = report is not None and all(map(is_success, report.applications))
        self._measure(key, report, seconds)
        if succeeded:
            self._metrics.set("application_last_success_timestamp", self._clock.now().timestamp(), application=key)
        event = "application_succeeded" if succeeded else "application_failed"
        log.info(event, duration=render_duration(round(seconds, 3)))
        return succeeded

    def _report(self, snapshot: ApplicationSnapshot, log: EventLog) -> Report | None:
        """None when the attempt came to nothing."""
        try:
            return self._process(snapshot)
        except UpdaterError as error:
            log.error("application_failed_to_plan", exception=error, error=str(error), code=error.code)
        except Exception as error:  # noqa: BLE001 - a bug met in one Application must not cost the others
            log.error("bug_found", exception=error, error=str(error))
        return None

    def _measure(self, key: str, report: Report | None, seconds: float) -> None:
        self._metrics.observe("application_update_duration_seconds", seconds, application=key)
        if report is None:
            self._metrics.increase("images_errors_total", application=key)
            self.totals.add_failure()
            self._counted(key, ONE_FAILURE)
            return
        for each in report.applications:
            measure_images(self._metrics, each, is_dry_run=report.is_dry_run)
        self.totals.add(report)
        self._counted(key, report.totals)
