"""``plan``: what ``run`` would change, and why, without writing anything (``runtime.md`` 1.15).

The same round as that of ``run --once --dry-run``; only the choice of Applications and the result differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from updater.cli.guarding import guard_command, logging_for, warn
from updater.cli.plan_report import PlanReport
from updater.cli.run import PLATFORM, build, progress_for
from updater.cli.signals import Shutdown
from updater.errors import ConfigurationError, PlanError, UpdaterError
from updater.model.applications import ApplicationKey
from updater.model.images import Counter
from updater.model.report import Report
from updater.settings.arguments import parse_arguments
from updater.settings.missing import refuse_missing
from updater.settings.model import Settings
from updater.settings.parts import RunSettings, run_settings, secret_values
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.telemetry.log import StandardEventLog
from updater.telemetry.redactor import Redactor
from updater.transport.redaction import cap_text

DIFFERS = 10
"""The exit status of ``--check`` when something would change."""

_NAME_SHOWN = 120


def run_plan(words: Sequence[str], environment: Mapping[str, str], place: Mapping[str, str]) -> int:
    """The exit status of ``plan``. Raises ``ConfigurationError`` before anything is started."""
    arguments = parse_arguments(words, options_of("plan"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("plan",), place)
    resolution = resolve("plan", arguments, environment, platform=PLATFORM, place=place)
    settings = resolution.settings
    refuse_missing(settings)
    names = tuple(dict.fromkeys(map(_parse_name, arguments.words)))
    redactor = Redactor(secret_values(settings))
    with logging_for(settings, redactor, has_result=True) as logging:
        warn(logging.log, resolution.warnings)
        return guard_command(logging.log, _Plan(settings, names, logging.log, redactor).run)


def _parse_name(word: str) -> str:
    namespace, slash, name = word.partition("/")
    if not word or (slash and (not namespace or not name)) or "/" in name:
        raise ConfigurationError(
            f"{word[:_NAME_SHOWN]!r} names no Application", hint="expected NAMESPACE/NAME or NAME", code="bad_argument"
        )
    return word


@dataclass(frozen=True, slots=True)
class _Plan:
    """One plan. ``names`` are the Applications asked for, empty for all."""

    settings: Settings
    names: tuple[str, ...]
    log: StandardEventLog
    redactor: Redactor

    def run(self) -> int:
        """The exit status. Raises ``UpdaterError`` when the Applications cannot be listed."""
        report = self._round()
        self._require_named(report)
        shown = PlanReport(report, self.redactor, is_detailed=self.settings.is_on("verbose") or bool(self.names))
        shown.print(self.settings.text("output"))
        return self._status(report)

    def _round(self) -> Report:
        runtime = build(self._run_settings(), self.log, progress_for(self.settings))
        try:
            with Shutdown() as shutdown:
                try:
                    report = shutdown.guard(runtime.run_once, runtime.stop)
                except UpdaterError as error:
                    if not shutdown.is_requested:
                        raise
                    raise _stopped() from error
                if shutdown.is_requested:
                    raise _stopped()
                return report
        finally:
            runtime.close()

    def _run_settings(self) -> RunSettings:
        values = run_settings(self.settings)
        return replace(values, filters=replace(values.filters, names=self.names))

    def _require_named(self, report: Report) -> None:
        keys = [*(each.key for each in report.applications), *(key for key, _ in report.skipped)]
        missing = [name for name in self.names if not any(_is_named(key, name) for key in keys)]
        if missing:
            raise PlanError(
                f"the token sees no Application named {_named_text(missing)}",
                where=run_settings(self.settings).connection.server,
                hint=(
                    f"check the spelling and the namespace{self._narrowed()}; one that the token may not read looks "
                    "the same as one that is not there: check its right 'applications, get' for PROJECT/NAME; "
                    "'plan --verbose' without a name shows every one that it sees"
                ),
                code="application_unknown",
            )

    def _narrowed(self) -> str:
        """The settings that may hide an Application from the listing, empty without any."""
        connection, filters = run_settings(self.settings).connection, run_settings(self.settings).filters
        narrowing = [f"--argocd-projects {','.join(connection.projects)}"] if connection.projects else []
        narrowing += [f"--match-application-label {filters.label_selector}"] if filters.label_selector else []
        return f", and {' and '.join(narrowing)}" if narrowing else ""

    def _status(self, report: Report) -> int:
        if report.totals[Counter.ERRORS.value]:
            return 1
        return DIFFERS if self.settings.is_on("check") and report.totals[Counter.UPDATED.value] else 0


def _is_named(key: ApplicationKey, name: str) -> bool:
    return name in (key.name, str(key))


def _named_text(names: list[str]) -> str:
    """The names, each with where it was looked for."""
    return cap_text(", ".join(name if "/" in name else f"{name} (in any namespace)" for name in names))


def _stopped() -> PlanError:
    return PlanError("stopped by a signal before there was a plan", code="cancelled")
