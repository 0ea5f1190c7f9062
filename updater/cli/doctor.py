"""``doctor``: every layer between us and what a round talks to, one by one (``runtime.md`` 1.15).

Says the first failing layer of each chain and what to change. Writes nothing. ``docs/doctor.md`` describes the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from updater.cli.doctor_report import DoctorReport
from updater.cli.guarding import guard_command, logging_for, warn
from updater.cli.run import PLATFORM
from updater.cli.signals import Shutdown
from updater.errors import ConfigurationError
from updater.settings.arguments import parse_arguments
from updater.settings.missing import refuse_missing
from updater.settings.model import Settings
from updater.settings.parts import run_settings, secret_values
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.telemetry.log import StandardEventLog
from updater.telemetry.redactor import Redactor


def run_doctor(words: Sequence[str], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    """The exit status: 0 when every layer passed. Raises ``ConfigurationError`` before anything is started."""
    arguments = parse_arguments(words, options_of("doctor"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("doctor",), place)
    resolution = resolve("doctor", arguments, environment, platform=PLATFORM, place=place)
    settings = resolution.settings
    refuse_missing(settings)
    redactor = Redactor(secret_values(settings))
    with logging_for(settings, redactor, has_result=True) as logging:
        warn(logging.log, resolution.warnings)
        return guard_command(logging.log, lambda: _examine(settings, environment, logging.log, redactor))


def _examine(settings: Settings, environment: Mapping[str, str], log: StandardEventLog, redactor: Redactor) -> int:
    from updater.assembly.diagnosis import Diagnosis  # noqa: PLC0415 - brings all adapters
    from updater.assembly.surroundings import Surroundings  # noqa: PLC0415

    diagnosis = Diagnosis(run_settings(settings), Surroundings(environment, log=log))
    report = DoctorReport(settings.text("output"), redactor.clean)

    def examine() -> None:
        for finding in diagnosis.findings():
            report.add(finding)

    try:
        with Shutdown() as shutdown:
            shutdown.guard(examine, diagnosis.close)
            if shutdown.is_requested:
                raise ConfigurationError("stopped by a signal before everything was examined", code="cancelled")
    finally:
        diagnosis.close()
    report.end()
    return 0 if report.is_well else 1
