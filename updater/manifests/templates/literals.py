"""Literals of templates: Go's texts and numbers (Go specification, "Integer literals" to "String literals")."""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|())")
_SIMPLE = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DIGITS = 20
"""Characters of a number: 64 bits need 19 digits."""


def read_string(text: str) -> str:
    """The value of a quoted or raw text; raises ``ValueError`` for an escape that Go does not know."""
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    return _ESCAPE.sub(_unescaped, text[1:-1].encode()).decode("utf-8", "replace")


def _unescaped(match: re.Match[bytes]) -> bytes:
    simple, byte, octal, short, long, unknown = match.groups()
    if unknown is not None:
        raise ValueError("unknown escape")
    if simple is not None:
        return bytes((_SIMPLE[simple],))
    if byte is not None or octal is not None:
        return bytes((int(byte, 16) if byte is not None else int(octal, 8),))
    return chr(int(short or long, 16)).encode()


def read_number(text: str) -> int | float:
    """The value of a number; raises ``ValueError`` for what is none or needs more than 64 bits."""
    digits = text.replace("_", "")
    if len(digits) > _DIGITS * 4:
        raise ValueError("too long")
    if _INTEGER.fullmatch(digits):
        value = int(digits, _base(digits))
        if not -(2**63) <= value < 2**63:
            raise ValueError("more than 64 bits")
        return value
    if not _FLOAT.fullmatch(digits):
        raise ValueError("no number")
    return float(digits)


def _base(digits: str) -> int:
    bare = digits.lstrip("+-")
    prefixes = {"0x": 16, "0b": 2, "0o": 8}
    is_octal = len(bare) > 1 and bare[0] == "0" and bare.isdigit()
    return prefixes.get(bare[:2].lower(), 8 if is_octal else 10)
