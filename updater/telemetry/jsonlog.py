"""The JSON format: one compact object per line, keys sorted (``runtime.md`` 4.3)."""

from __future__ import annotations

import json
import math
import re

from updater.ports.log import Field
from updater.telemetry.record import LogRecord

_ESCAPED = re.compile("[<>&\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Go's encoder escapes the first three, so that a line can stand in a web page, and U+2028 and U+2029, which end a line
in JavaScript. The control characters between end a line, or steer a terminal; the others turn the direction of what
follows. All of them only occur inside strings."""


def render_json(record: LogRecord) -> str:
    """The line without its end; numbers and booleans keep their type."""
    entries: dict[str, Field] = {key: _finite(value) for key, value in record.sorted_fields()}
    entries |= {"level": record.level, "msg": record.message, "time": record.time}
    text = json.dumps(dict(sorted(entries.items())), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    # Lone surrogates cannot be encoded.
    return text.encode("utf-8", "replace").decode()


def _finite(value: Field) -> Field:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
