"""Values as text, the way Go's ``fmt`` writes them: ``%v``, ``%s``, ``%d``, ``%q``, ``%x``, ``%t``.

A verb that does not fit its value is no error in Go: it prints ``%!d(string=x)``, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TypeAlias

from updater.manifests.templates.values import Mistake, Record, Value, type_name

WIDTH_LIMIT = 1_000
"""Columns of a padded value; Go stops at a million, but our templates come from tenants."""

_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>[0-9]*)(?:\.(?P<precision>[0-9]*))?(?P<verb>.?)", re.DOTALL)
_Basic: TypeAlias = "str | bool | float"
_PLAIN_EXPONENTS = range(-4, 6)
_QUOTES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b"}
_QUOTES |= {"\f": "\\f", "\v": "\\v"}


def text_of(value: Value) -> str:
    """The value as ``%v`` prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if value is None:
        return "<nil>"
    return str(value) if isinstance(value, str | int) else _collection(value, text_of)


def _collection(value: Record | Sequence[Value] | Mapping[str, Value], write: Callable[[Value], str]) -> str:
    if isinstance(value, Record):
        return "{" + " ".join(write(item) for item in value.fields.values()) + "}"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{write(key)}:{write(value[key])}" for key in sorted(value)) + "]"
    return "[" + " ".join(write(item) for item in value) + "]"


def _float_text(value: float) -> str:
    """The shortest digits that mean the number; with an exponent where ``%g`` of precision 6 would have one."""
    if not isfinite(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if exponent in _PLAIN_EXPONENTS or not number:
        return f"{number:f}"
    return f"{number.scaleb(-exponent):f}e{exponent:+03d}"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Flags, width and precision of one verb."""

    flags: str
    width: int
    precision: int | None

    def padded(self, text: str) -> str:
        missing = self.width - len(text)
        if missing <= 0:
            return text
        if "-" in self.flags:
            return text + " " * missing
        if "0" not in self.flags:
            return " " * missing + text
        sign = text[:1] if text[:1] in ("-", "+") else ""
        return sign + "0" * missing + text[len(sign) :]

    def cut(self, text: str) -> str:
        return text if self.precision is None else text[: self.precision]


def format_text(pattern: str, values: Sequence[Value]) -> str:
    """``printf``; raises ``Mistake`` for verbs and flags outside the subset."""
    left = list(values)
    text = _VERB.sub(lambda match: _formatted(match, left), pattern)
    if left:
        text += "%!(EXTRA " + ", ".join(f"{type_name(value)}={text_of(value)}" for value in left) + ")"
    return text


def _formatted(match: re.Match[str], left: list[Value]) -> str:
    verb, flags = match["verb"], match["flags"]
    if verb == "%":
        return "%"
    if not verb:
        return "%!(NOVERB)"
    if verb not in "svdqxXt" or set(flags) - {"-", "0", "+"}:
        raise Mistake(f"printf cannot do {match.group()!r}; there are %s %v %d %q %x %X %t, with -, 0 and +")
    if not left:
        return f"%!{verb}(MISSING)"
    layout = _Layout(flags, _limited(match["width"]), _limited(match["precision"] or "0") if "." in match[0] else None)
    return _write(verb, left.pop(0), layout)


def _limited(digits: str) -> int:
    if len(digits) > len(str(WIDTH_LIMIT)) or int(digits or "0") > WIDTH_LIMIT:
        raise Mistake(f"printf pads and cuts to at most {WIDTH_LIMIT} columns")
    return int(digits or "0")


def _write(verb: str, value: Value, layout: _Layout) -> str:
    if isinstance(value, Record | tuple | Mapping):
        return _collection(value, lambda item: _write(verb, item, layout))
    if value is None:
        return layout.padded("<nil>") if verb == "v" else f"%!{verb}(<nil>)"
    text = _scalar(verb, value, layout)
    return f"%!{verb}({type_name(value)}={text_of(value)})" if text is None else layout.padded(text)


def _scalar(verb: str, value: _Basic, layout: _Layout) -> str | None:
    """The text before padding, None when the verb does not fit the value."""
    if verb == "v":
        return layout.cut(value) if isinstance(value, str) else text_of(value)
    if isinstance(value, bool):
        return text_of(value) if verb == "t" else None
    if isinstance(value, str):
        return _string(verb, value, layout)
    return _integer(verb, value, layout) if isinstance(value, int) else None


def _string(verb: str, value: str, layout: _Layout) -> str | None:
    text = layout.cut(value)
    if verb == "s":
        return text
    if verb == "q":
        return quoted(text)
    if verb in "xX":
        digits = text.encode("utf-8", "surrogatepass").hex()
        return digits.upper() if verb == "X" else digits
    return None


def _integer(verb: str, value: int, layout: _Layout) -> str | None:
    if verb == "d":
        return f"{value:+d}" if "+" in layout.flags else str(value)
    if verb in "xX":
        return f"{value:{verb}}"
    if verb == "q" and 0 <= value <= 0x10FFFF:
        return "'" + quoted(chr(value))[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return None


def quoted(text: str) -> str:
    """The text in Go's double quotes."""
    return '"' + "".join(_QUOTES.get(character) or _visible(character) for character in text) + '"'


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
