"""Where records go: up to warning to standard output, errors to standard error (``runtime.md`` 4.1)."""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import replace
from typing import TextIO

from updater.telemetry.rendering import FIELDS_ATTRIBUTE, Renderer


class StreamHandler(logging.Handler):
    """Writes each record as one line.

    ``has_result`` means that standard output belongs to the result of the command: every record goes to standard
    error. The streams are looked up at each record because a progress bar puts itself before standard error. When
    standard output can no longer be written, records follow to standard error after one that says so; when that fails
    too, nobody is left to tell, and the work goes on.
    """

    def __init__(self, plain: Renderer, terminal: Renderer | None, *, has_result: bool) -> None:
        super().__init__()
        self._plain = plain
        self._terminal = terminal
        self._has_result = has_result

    def show_tracebacks(self, *, shown: bool) -> None:
        """Whether records from now on hold the tracebacks of their errors."""
        self._plain = replace(self._plain, shows_tracebacks=shown)
        if self._terminal is not None:
            self._terminal = replace(self._terminal, shows_tracebacks=shown)

    def emit(self, record: logging.LogRecord) -> None:
        stream = self._stream(record)
        try:
            self._write(stream, record)
        except OSError as error:
            with contextlib.suppress(OSError):
                if stream is not sys.stderr:
                    self._write(sys.stderr, _lost_record(error))
                    self._write(sys.stderr, record)
            self._has_result = True

    def _stream(self, record: logging.LogRecord) -> TextIO:
        return sys.stderr if self._has_result or record.levelno >= logging.ERROR else sys.stdout

    def _write(self, stream: TextIO, record: logging.LogRecord) -> None:
        renderer = self._terminal if self._terminal is not None and stream.isatty() else self._plain
        stream.write(renderer.line(record) + "\n")
        stream.flush()


def _lost_record(error: OSError) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"msg": "output_lost", "levelno": logging.WARNING, FIELDS_ATTRIBUTE: {"error": str(error)}}
    )
