"""Globs in Go's dialect, for ignored tags and names of Applications (``images-and-strategies.md`` 5.3).

``*`` and ``?`` do not cross a slash, ``^`` negates a class and ``!`` does not, a backslash quotes, there are no braces.
A glob becomes an RE2 expression, so that no glob takes more than linear time.
"""

from __future__ import annotations

from updater.errors import PlanError
from updater.rules.patterns import MAX_EXPRESSION, Pattern

_SPECIAL = frozenset("*?[\\")
_ANY_RUN = "[^/]*"
_NEVER = r"[^\x{0}-\x{10FFFF}]"


class Glob:
    """A compiled glob; ``matches`` compares the whole text, case-sensitively."""

    __slots__ = ("_pattern", "text")

    def __init__(self, text: str) -> None:
        """Compile; raises ``PlanError`` (``invalid_glob``) wherever in the glob the mistake stands."""
        self.text = text
        # Most globs in the field are plain names, and a comparison is far cheaper than an expression.
        self._pattern = _compile(text) if _SPECIAL.intersection(text) else None

    @property
    def is_literal(self) -> bool:
        """Whether the glob matches its own text only."""
        return self._pattern is None

    def matches(self, name: str) -> bool:
        return self.text == name if self._pattern is None else self._pattern.is_found_in(name)

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"


def _compile(glob: str) -> Pattern:
    expression = rf"(?s)\A{_translate(glob)}\z"
    if len(expression) > MAX_EXPRESSION:
        # Tags have 128 characters and names 253: what is longer is no pattern for them.
        raise PlanError(f"pattern {glob[:80]!r} is too long: it has {len(glob):,} characters", code="invalid_glob")
    return Pattern(expression)


def _translate(glob: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(glob):
        match glob[at]:
            case "*":
                if not parts or parts[-1] != _ANY_RUN:
                    parts.append(_ANY_RUN)
                at += 1
            case "?":
                parts.append("[^/]")
                at += 1
            case "[":
                expression, at = _translate_class(glob, at + 1)
                parts.append(expression)
            case _:
                character, at = _literal(glob, at)
                parts.append(_code_point(character))
    return "".join(parts)


def _literal(glob: str, at: int) -> tuple[str, int]:
    if glob[at] != "\\":
        return glob[at], at + 1
    if at + 1 == len(glob):
        raise _malformed(glob, at, "a backslash quotes the next character, and there is none")
    return glob[at + 1], at + 2


def _translate_class(glob: str, at: int) -> tuple[str, int]:
    start = at - 1
    is_negated = glob.startswith("^", at)
    at += is_negated
    ranges: list[str] = []
    count = 0
    while not (count and glob.startswith("]", at)):
        low, at = _bound(glob, at, start)
        high = low
        if glob.startswith("-", at):
            high, at = _bound(glob, at + 1, start)
        if low <= high:  # a reversed range is legal and holds nothing
            ranges.append(f"{_code_point(low)}-{_code_point(high)}")
        count += 1
    return _render_class(ranges, is_negated=is_negated), at + 1


def _bound(glob: str, at: int, start: int) -> tuple[str, int]:
    if at >= len(glob):
        raise _malformed(glob, start, "the class is not closed")
    if glob[at] in "-]":
        raise _malformed(glob, at, "expected a character of the class; quote '-' and ']' with a backslash")
    return _literal(glob, at)


def _render_class(ranges: list[str], *, is_negated: bool) -> str:
    if not ranges:
        return "." if is_negated else _NEVER
    return f"[{'^' if is_negated else ''}{''.join(ranges)}]"


def _code_point(character: str) -> str:
    return rf"\x{{{ord(character):X}}}"


def _malformed(glob: str, at: int, why: str) -> PlanError:
    return PlanError(f"pattern {glob[:80]!r} is malformed at position {at + 1}: {why}", code="invalid_glob")
