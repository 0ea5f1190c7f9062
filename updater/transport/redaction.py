"""Secrets and texts from outside, made safe to show.

``Secret`` keeps a value out of every repr; ``redact`` takes known values and the usual shapes of credentials out of a
text; ``cap_text`` makes foreign text one short printable line. Applied at the wall, before a text enters an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
MAX_FOREIGN_TEXT = 300
"""Characters of a foreign text that an error shows (``registries.md`` 4.1)."""

_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]++\.[A-Za-z0-9_-]++\.)"
    r"([A-Za-z0-9_-]*?)\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
)
"""Looked for once per word, at its beginning: texts from outside are searched, and must not take quadratic time."""
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^/\s]+@")
"""The longest scheme with user info that is registered has half as many letters; without a bound this is quadratic."""
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,500}>", re.DOTALL | re.IGNORECASE)


class Secret:
    """A value that no log, repr or error shows. Equal to another secret with the same value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return f"Secret({MASK!r})" if self._value else "Secret('')"

    def __str__(self) -> str:
        return MASK if self._value else ""

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given values, without JWTs, Authorization values and user info in URLs."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    text = _JWT.sub(rf"\1{MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1 {MASK}", text)
    return _USERINFO.sub(rf"\1{MASK}@", text)


def cap_text(text: str, limit: int = MAX_FOREIGN_TEXT) -> str:
    """One printable line of at most ``limit`` characters, control characters and runs of blanks folded."""
    printable = text[: limit * 4]
    if not printable.isprintable():
        printable = "".join(character if character.isprintable() else " " for character in printable)
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def escape_controls(text: str) -> str:
    """The text with everything unprintable written as in a Python literal: nothing in it steers a terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def summarize_html(text: str) -> str:
    """What an HTML page says, without its tags, as one short line."""
    return cap_text(_TAGS.sub(" ", text[:20_000]), 120)
