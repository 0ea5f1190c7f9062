"""The text format: one line of ``key=value`` pairs, quoted as Go's logrus does (``runtime.md`` 4.2)."""

from __future__ import annotations

import re

from updater.ports.log import Field
from updater.telemetry.record import LogRecord

_BARE = re.compile(r"[A-Za-z0-9\-._/@^+]*")
_EXACT_BELOW = 1e15
"""Above, a float's digits are more than it knows."""
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def render_logfmt(record: LogRecord) -> str:
    """The line without its end; an empty message is left out."""
    pairs: list[tuple[str, Field]] = [("time", record.time), ("level", record.level)]
    if record.message:
        pairs.append(("msg", record.message))
    pairs += record.sorted_fields()
    # The time is quoted because it holds colons, as every other value is.
    return " ".join(f"{key}={render_value(value)}" for key, value in pairs)


def render_value(value: Field) -> str:
    """Bare when every character is harmless, else in double quotes with Go's escapes."""
    text = field_text(value)
    return text if _BARE.fullmatch(text) else '"' + "".join(map(_escape, text)) + '"'


def field_text(value: Field) -> str:
    """The text of a field: booleans in lower case, None as nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT_BELOW else repr(value)
    return str(value)


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
