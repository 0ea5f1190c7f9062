"""The ``EventLog`` of the house over the standard library's logging."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from types import MappingProxyType

from updater.ports.log import EventLog, Field
from updater.telemetry.levels import NUMBERS, TRACE
from updater.telemetry.redactor import Redactor
from updater.telemetry.rendering import FIELDS_ATTRIBUTE, Renderer, writer_for
from updater.telemetry.streams import StreamHandler
from updater.telemetry.terminal import render_terminal

_LOGGER = "argocd-image-updater"
_URL_LOGGER = "urllib3"
"""Its debug records hold whole URLs: the names of accounts at token services, the signatures of redirects."""

_NOTHING: Mapping[str, Field] = MappingProxyType({})


class StandardEventLog:
    """Events with fields, handed to a logger of the standard library. Immutable; safe to share between threads."""

    def __init__(self, logger: logging.Logger, bound: Mapping[str, Field] = _NOTHING) -> None:
        self._logger = logger
        self._bound = bound

    def trace(self, event: str, /, **fields: Field) -> None:
        self._emit(TRACE, event, fields)

    def debug(self, event: str, /, **fields: Field) -> None:
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._emit(logging.WARNING, event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self._emit(logging.ERROR, event, fields, exception)

    def fatal(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        """The last record of a process that ends with status 1; ending it is the caller's business."""
        self._emit(logging.CRITICAL, event, fields, exception)

    def bind(self, **fields: Field) -> EventLog:
        return StandardEventLog(self._logger, MappingProxyType({**self._bound, **fields}))

    def _emit(
        self, level: int, event: str, fields: Mapping[str, Field], exception: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            extra = {FIELDS_ATTRIBUTE: {**self._bound, **fields}}
            self._logger.log(level, event, extra=extra, exc_info=exception)


class Logging:
    """The process's logging while a command runs; ``close()`` gives the root logger back as it was.

    What libraries say with the module ``warnings`` are records too, and so is what ends a thread that nobody guards:
    otherwise both would stand between the records as they are.

    ``level`` and ``log_format`` are words of the settings. ``has_result``: standard output belongs to the command.
    """

    def __init__(
        self, level: str, log_format: str, *, redactor: Redactor, has_result: bool, has_colors: bool = True
    ) -> None:
        self._root = logging.getLogger()
        self._level_before = self._root.level
        plain = Renderer(redactor, writer_for(log_format))
        terminal = _terminal(plain) if has_colors and log_format == "text" else None
        self._handler = StreamHandler(plain, terminal, has_result=has_result)
        self._root.addHandler(self._handler)
        self._urls = logging.getLogger(_URL_LOGGER)
        self._urls_level_before = self._urls.level
        self.set_level(level)
        logging.captureWarnings(capture=True)
        self.log = StandardEventLog(logging.getLogger(_LOGGER))
        self._hook_before = threading.excepthook
        if self._hook_before is threading.__excepthook__:
            threading.excepthook = self._thread_ended

    def set_level(self, level: str) -> None:
        """The least level from now on; from debug down records show tracebacks."""
        number = NUMBERS[level]
        self._handler.show_tracebacks(shown=number <= logging.DEBUG)
        self._root.setLevel(number)
        self._urls.setLevel(max(number, logging.INFO))

    def close(self) -> None:
        logging.captureWarnings(capture=False)
        threading.excepthook = self._hook_before
        self._root.removeHandler(self._handler)
        self._root.setLevel(self._level_before)
        self._urls.setLevel(self._urls_level_before)
        self._handler.close()

    def _thread_ended(self, end: threading.ExceptHookArgs) -> None:
        name = end.thread.name if end.thread is not None else ""
        self.log.error("bug_found", exception=end.exc_value, thread=name, error=end.exc_type.__name__)


def _terminal(plain: Renderer) -> Renderer:
    return Renderer(plain.redactor, render_terminal, plain.shows_tracebacks)
