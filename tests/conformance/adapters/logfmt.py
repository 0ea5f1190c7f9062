"""One log record in the text and the JSON format."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.telemetry.jsonlog import render_json
from updater.telemetry.logfmt import render_logfmt
from updater.telemetry.record import LogRecord


def _logfmt(vector: Vector) -> Any:
    given = vector.given
    record = LogRecord(given["level"], given["time"], given["msg"], given["fields"])
    found = {"text": render_logfmt(record), "json": render_json(record)}
    return {key: found[key] for key in vector.expect}


ADAPTERS = {"logfmt": _logfmt}
