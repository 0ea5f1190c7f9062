"""The JSON format: one compact object per line, keys sorted (``runtime.md`` 4.3)."""

from __future__ import annotations

import json
import math

from updater.ports.log import Field
from updater.telemetry.record import LogRecord

_HTML = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))
"""Go's encoder escapes these so that a line can stand in a web page; the characters only occur inside strings."""


def render_json(record: LogRecord) -> str:
    """The line without its end; numbers and booleans keep their type."""
    entries: dict[str, Field] = {key: _finite(value) for key, value in record.sorted_fields()}
    entries |= {"level": record.level, "msg": record.message, "time": record.time}
    text = json.dumps(dict(sorted(entries.items())), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escaped in _HTML:
        text = text.replace(character, escaped)
    # Lone surrogates cannot be encoded; U+2028 and U+2029 end a line for JavaScript.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "replace").decode()


def _finite(value: Field) -> Field:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
