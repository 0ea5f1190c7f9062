"""What every command with a log has in common: the log itself, and the one place that catches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from updater.cli.output import ResultLost
from updater.errors import UpdaterError
from updater.model.report import Warned
from updater.settings.model import Settings
from updater.settings.parts import log_settings
from updater.telemetry.log import Logging, StandardEventLog
from updater.telemetry.redactor import Redactor


@contextmanager
def logging_for(settings: Settings, redactor: Redactor, *, has_result: bool) -> Iterator[Logging]:
    """The logging of a command, as its settings say, until the end of the block."""
    wanted = log_settings(settings)
    logging = Logging(
        wanted.level, wanted.format, redactor=redactor, has_result=has_result, has_colors=wanted.has_colors
    )
    try:
        yield logging
    finally:
        logging.close()


def warn(log: StandardEventLog, warnings: tuple[Warned, ...]) -> None:
    """One record for each remark about the settings."""
    for warning in warnings:
        log.warning("setting_remarked", text=warning.text, kind=warning.kind)


def guard_command(log: StandardEventLog, work: Callable[[], int]) -> int:
    """The exit status of ``work``: an expected failure is one fatal record, everything else is a bug."""
    try:
        return work()
    except UpdaterError as error:
        log.fatal("start_refused", exception=error, code=error.code)
    except ResultLost:
        raise
    except Exception as error:  # noqa: BLE001 - the last place that can say what happened
        log.fatal("bug_found", exception=error, hint="run again with --loglevel debug for the traceback")
    return 1
