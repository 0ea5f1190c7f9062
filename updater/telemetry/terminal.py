"""The form for a terminal: a coloured level, the seconds since the start, the message, the fields."""

from __future__ import annotations

from types import MappingProxyType

from updater.telemetry.logfmt import render_value
from updater.telemetry.record import LogRecord

_MESSAGE_WIDTH = 44
_RESET = "\x1b[0m"
_WORDS = MappingProxyType(
    {"trace": "TRAC", "debug": "DEBU", "info": "INFO", "warning": "WARN", "error": "ERRO", "fatal": "FATA"}
)
_GREY, _BLUE, _YELLOW, _RED = 37, 36, 33, 31
_COLOURS = MappingProxyType(
    {"trace": _GREY, "debug": _GREY, "info": _BLUE, "warning": _YELLOW, "error": _RED, "fatal": _RED}
)


def render_terminal(record: LogRecord) -> str:
    """The line without its end. Control characters in the message are escaped, so that no text steers a terminal."""
    colour = f"\x1b[{_COLOURS[record.level]}m"
    message = "".join(character if character.isprintable() else repr(character)[1:-1] for character in record.message)
    head = f"{colour}{_WORDS[record.level]}{_RESET}[{int(record.uptime_s):04d}] {message:<{_MESSAGE_WIDTH}} "
    pairs = (f"{colour}{key}{_RESET}={render_value(value)}" for key, value in record.sorted_fields())
    return (head + " ".join(pairs)).rstrip()
