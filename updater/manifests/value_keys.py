"""Keys of Helm values as owners write them: ``web.images[0].tag``, ``annotations."app.example.com/image"``.

Grammar: ``write-back.md`` 3.9. Segments are parted by dots, carry any number of indexes, and may be quoted; a backslash
takes the next character literally.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import WriteBackError

SEGMENT_LIMIT = 100
"""Segments of one key; a file is not nested deeper (``reading.NESTING_LIMIT``)."""

_INDEX_DIGITS = 9
"""Digits of an index that could exist; anything longer is out of range for every list."""


@dataclass(frozen=True, slots=True)
class KeySegment:
    """One segment. ``is_literal``: quoted or escaped, so it is never joined with its neighbours."""

    name: str
    indexes: tuple[int, ...] = ()
    is_literal: bool = False


def parse_value_key(text: str) -> tuple[KeySegment, ...]:
    """The segments of a key; raises ``WriteBackError`` (``empty_key``, ``bad_key``, ``bad_index``)."""
    key = text.strip()
    if not key:
        raise WriteBackError("the key is empty", hint="write a path such as image.tag", code="empty_key")
    segments: list[KeySegment] = []
    place = 0
    while True:
        segment, place = _segment(key, place)
        segments.append(segment)
        if len(segments) > SEGMENT_LIMIT:
            raise _bad(key, f"it has more than {SEGMENT_LIMIT} segments")
        if place == len(key):
            return tuple(segments)
        place += 1


def _segment(key: str, place: int) -> tuple[KeySegment, int]:
    """A segment and the place behind it: a dot or the end."""
    if key[place : place + 1] in ('"', "'"):
        name, place = _quoted(key, place)
        is_literal = True
    else:
        name, place, is_literal = _text(key, place)
    if not name and not is_literal:
        raise _bad(key, "a segment is empty")
    indexes: list[int] = []
    while key[place : place + 1] == "[":
        index, place = _index(key, place)
        indexes.append(index)
    if place < len(key) and key[place] != ".":
        raise _bad(key, f"expected a dot before {key[place : place + 20]!r}")
    return KeySegment(name, tuple(indexes), is_literal), place


def _quoted(key: str, place: int) -> tuple[str, int]:
    end = key.find(key[place], place + 1)
    if end < 0:
        raise _bad(key, "a quote is not closed")
    return key[place + 1 : end], end + 1


def _text(key: str, place: int) -> tuple[str, int, bool]:
    characters: list[str] = []
    is_literal = False
    while place < len(key) and key[place] not in ".[":
        if key[place] == "\\":
            is_literal = True
            place += 1
        if place == len(key):
            raise _bad(key, "nothing follows the backslash")
        characters.append(key[place])
        place += 1
    return "".join(characters), place, is_literal


def _index(key: str, place: int) -> tuple[int, int]:
    end = key.find("]", place)
    if end < 0:
        raise _bad(key, "a bracket is not closed")
    digits = key[place + 1 : end]
    if not (digits.isascii() and digits.isdigit()):
        hint = "an index is a number from 0"
        raise WriteBackError(f"key {key[:120]!r}: index {digits[:20]!r}", hint=hint, code="bad_index")
    return int(digits[: _INDEX_DIGITS + 1]), end + 1


def _bad(key: str, why: str) -> WriteBackError:
    hint = 'write a path such as image.tag, images[0].tag or annotations."example.com/image"'
    return WriteBackError(f"key {key[:120]!r}: {why}", hint=hint, code="bad_key")
