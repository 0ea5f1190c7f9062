"""From the standard library's records to lines: the one place where event, sentence, redaction and format meet."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from updater.ports.log import Field
from updater.telemetry.jsonlog import render_json
from updater.telemetry.levels import level_word
from updater.telemetry.logfmt import render_logfmt
from updater.telemetry.record import LogRecord
from updater.telemetry.redactor import Redactor
from updater.telemetry.sentences import sentence

FIELDS_ATTRIBUTE = "event_fields"
"""The attribute of a record that holds our fields; records of libraries do not have it."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders records in one format. ``shows_tracebacks`` is on at log level debug and below."""

    redactor: Redactor
    write: Callable[[LogRecord], str]
    shows_tracebacks: bool = False

    def line(self, record: logging.LogRecord) -> str:
        """One line without its end, whatever the record holds."""
        message, fields = self._message(record)
        cleaned = {key: self._clean(value) for key, value in fields.items()}
        moment = render_moment(record.created)
        text = self.redactor.clean(message)
        return self.write(
            LogRecord(level_word(record.levelno), moment, text, cleaned, uptime_s=record.relativeCreated / 1_000)
        )

    def _message(self, record: logging.LogRecord) -> tuple[str, dict[str, Field]]:
        extra = getattr(record, FIELDS_ATTRIBUTE, None)
        fields: dict[str, Field] = dict(extra) if isinstance(extra, Mapping) else {"logger": record.name}
        fields |= self._exception(record)
        if extra is None:
            return record.getMessage(), fields
        return sentence(str(record.msg), fields)

    def _exception(self, record: logging.LogRecord) -> dict[str, Field]:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return {}
        found: dict[str, Field] = {"error": str(error) or type(error).__name__}
        if self.shows_tracebacks:
            found["traceback"] = "".join(traceback.format_exception(error))
        return found

    def _clean(self, value: Field) -> Field:
        return self.redactor.clean(value) if isinstance(value, str) else value


def render_moment(timestamp: float) -> str:
    """RFC 3339 with seconds in local time; ``Z`` for UTC."""
    return datetime.fromtimestamp(timestamp).astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")


def writer_for(log_format: str) -> Callable[[LogRecord], str]:
    """The function of ``text`` or ``json``."""
    return render_json if log_format == "json" else render_logfmt
