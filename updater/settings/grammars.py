"""How values are written (``runtime.md`` 1.2): flags follow Go's flag parser, variables have their own, laxer rules.

A flag that cannot be read is an error; a variable that cannot be read is ignored with a warning, because it may be
meant for another program. Booleans in variables are ignored without one, as upstream does.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from updater.clock import DurationError, parse_duration_s
from updater.errors import ConfigurationError
from updater.settings.model import Kind, Option, Value
from updater.transport.redaction import Secret

_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})
_LENIENT_TRUE = frozenset({"", "1", "true", "yes"})
_GO_INTEGER = re.compile(
    r"[+-]?(0[xX]_?[0-9a-fA-F](_?[0-9a-fA-F])*|0[bB]_?[01](_?[01])*|0[oO]?_?[0-7](_?[0-7])*|0|[1-9](_?[0-9])*)"
)
_DECIMAL = re.compile(r"[+-]?[0-9]+")
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A variable that is ignored; ``reason`` is for people and holds no value."""

    reason: str


def read_flag(option: Option, texts: tuple[str, ...]) -> Value:
    """The value of all occurrences of one flag: the last one of a scalar, all of a list.

    Raises ``ConfigurationError`` with the code of the kind, and the words Go's parser would use.
    """
    if option.kind is Kind.LIST:
        return _guard(option, tuple(item for text in texts for item in _csv_record(option, text)))
    if option.kind is Kind.ARRAY:
        return _guard(option, texts)
    return _read_scalar(option, texts[-1])


def _read_scalar(option: Option, text: str) -> Value:
    match option.kind:
        case Kind.BOOL:
            return _flag_bool(option, text)
        case Kind.INT:
            return _flag_int(option, text)
        case Kind.DURATION:
            return _flag_duration(option, text)
        case _:
            return Secret(text) if option.is_secret else text


def read_variable(option: Option, text: str) -> Value | Unreadable:
    """The value of a variable; None when it counts as unset."""
    if option.kind is Kind.LENIENT_BOOL:
        return text.lower() in _LENIENT_TRUE
    return _read_set_variable(option, text) if text else None


def _read_set_variable(option: Option, text: str) -> Value | Unreadable:
    match option.kind:
        case Kind.BOOL:
            return {"true": True, "false": False}.get(text.lower(), Unreadable("expected true or false"))
        case Kind.INT:
            return _variable_int(option, text)
        case Kind.DURATION:
            return _variable_duration(option, text)
        case Kind.LIST | Kind.ARRAY:
            return _guard(option, tuple(item for item in _split(option, text) if item))
        case _:
            return Secret(text) if option.is_secret else text


def refuse(option: Option, text: str, code: str, why: str) -> ConfigurationError:
    """The error for a flag's value; a secret value is not repeated."""
    shown = "***" if option.is_secret else text
    return ConfigurationError(f'invalid argument "{shown}" for "--{option.name}" flag: {why}', code=code)


def _flag_bool(option: Option, text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise refuse(option, text, "bad_bool", f"expected true or false, written --{option.name}=false")


def _flag_int(option: Option, text: str) -> int:
    number = _go_integer(text)
    if number is None:
        raise refuse(option, text, "bad_int", "expected a whole number")
    _check_bounds(option, text, number)
    return number


def _go_integer(text: str) -> int | None:
    if not _GO_INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-")
    base = 10 if digits == "0" or digits[0] != "0" else 0
    # Go reads 017 as octal; Python only knows 0o17.
    number = int(digits, base) if base or digits[1] in "xXbBoO" else int(digits, 8)
    number = -number if text.startswith("-") else number
    return number if -_INT64 <= number < _INT64 else None


def _flag_duration(option: Option, text: str) -> float:
    try:
        seconds = parse_duration_s(text)
    except DurationError as error:
        raise refuse(option, text, "bad_duration", str(error)) from error
    _check_bounds(option, text, seconds)
    return seconds


def _check_bounds(option: Option, text: str, number: float) -> None:
    if option.bounds is not None and not option.bounds.allow(number):
        raise refuse(option, text, option.bounds.code, _range_text(option))


def _variable_int(option: Option, text: str) -> int | Unreadable:
    if not _DECIMAL.fullmatch(text) or len(text) > len(str(_INT64)):
        return Unreadable("expected a decimal number")
    number = int(text)
    if option.bounds is not None and not option.bounds.allow(number):
        return Unreadable(_range_text(option))
    return number


def _variable_duration(option: Option, text: str) -> float | Unreadable:
    try:
        seconds = parse_duration_s(text)
    except DurationError:
        return Unreadable("expected a duration with a unit, for example 90s or 1h30m")
    if option.bounds is not None and not option.bounds.allow(seconds):
        return Unreadable(_range_text(option))
    return seconds


def _range_text(option: Option) -> str:
    bounds = option.bounds
    if bounds is None:
        return ""
    unit = " seconds" if option.kind is Kind.DURATION else ""
    if bounds.high == float("inf"):
        return "cannot be negative" if bounds.low == 0 else f"expected at least {bounds.low:g}{unit}"
    return f"expected {bounds.low:g} to {bounds.high:g}{unit}"


def _csv_record(option: Option, text: str) -> tuple[str, ...]:
    if not text:
        return ()
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        raise refuse(option, text, option.code, f"not a comma-separated list: {error}") from error
    return tuple(rows[0]) if rows else ()


def _split(option: Option, text: str) -> tuple[str, ...]:
    separator = option.variable_separator or ","
    if separator == "\n":
        return tuple(line.rstrip("\r") for line in text.split("\n"))
    return tuple(item.strip() for item in text.split(separator))


def _guard(option: Option, items: tuple[str, ...]) -> tuple[str, ...] | tuple[Secret, ...]:
    return tuple(Secret(item) for item in items) if option.is_secret else items
