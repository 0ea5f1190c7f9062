"""One attempt: its records, its measurements, and its failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from schedule_clock import ManualClock
from schedule_fleet import RecordingLog, RecordingMetrics, admit_all, application, away, bad, good

from updater.model.applications import ApplicationSnapshot
from updater.model.report import Report
from updater.schedule.attempts import Attempts
from updater.schedule.fleet import KnownFleet

A = application("a")


class Bench:
    """An attempt that takes two seconds of a manual clock."""

    def __init__(self, process: Callable[[ApplicationSnapshot], Report]) -> None:
        self.clock = ManualClock()
        self.metrics = RecordingMetrics()
        self.log = RecordingLog()
        self.fleet = KnownFleet(admit_all)
        self.fleet.take_listing([A])
        self._process = process
        self.attempts = Attempts(self.fleet, self._timed, self.metrics, self.clock, self.log)

    def _timed(self, snapshot: ApplicationSnapshot) -> Report:
        self.clock.advance(2.0)
        return self._process(snapshot)


def fail(error: Exception) -> Callable[[ApplicationSnapshot], Report]:
    def process(snapshot: ApplicationSnapshot) -> Report:
        raise error

    return process


def test_a_success_is_recorded_with_its_duration_and_time() -> None:
    bench = Bench(good)
    assert bench.attempts.run("ns/a")
    assert [event for event, _ in bench.log.records] == ["application_started", "application_succeeded"]
    assert bench.log.fields_of("application_succeeded") == {"application": "ns/a", "namespace": "ns", "duration": "2s"}
    assert bench.metrics.observed == [("application_update_duration_seconds", 2.0)]
    ended = bench.metrics.value("application_last_success_timestamp", application="ns/a")
    assert ended == bench.clock.now().timestamp()
    assert bench.metrics.value("images_errors_total", application="ns/a") == 0
    assert bench.attempts.ended_s == bench.clock.monotonic_s()
    bench.clock.advance(900.0)
    bench.attempts.note_work()
    assert bench.attempts.ended_s == bench.clock.monotonic_s()


@pytest.mark.parametrize(
    ("process", "record"),
    [
        pytest.param(bad, "application_failed", id="an error in the report"),
        pytest.param(fail(away()), "application_failed_to_plan", id="an error of our tree"),
        pytest.param(fail(RuntimeError("a bug")), "bug_found", id="a bug"),
    ],
)
def test_a_failure_is_one_error_and_no_success(process: Callable[[ApplicationSnapshot], Report], record: str) -> None:
    bench = Bench(process)
    assert not bench.attempts.run("ns/a")
    assert bench.log.count(record) == 1
    assert bench.log.count("application_failed") == 1
    assert bench.metrics.value("images_errors_total", application="ns/a") == 1
    assert bench.metrics.value("application_last_success_timestamp", application="ns/a") is None
    assert bench.attempts.totals.take() == {
        "applications": 1,
        "images_considered": 0,
        "images_skipped": 0,
        "images_updated": 0,
        "errors": 1,
    }


def test_totals_are_taken_once() -> None:
    bench = Bench(good)
    bench.attempts.run("ns/a")
    bench.attempts.run("ns/a")
    assert bench.attempts.totals.take()["applications"] == 2
    assert bench.attempts.totals.take() == {}


def test_an_application_that_has_left_is_not_processed() -> None:
    bench = Bench(fail(AssertionError("processed")))
    assert bench.attempts.run("ns/gone")
    assert bench.log.records == []
    assert bench.metrics.values == {}
