"""Lines of a text, as YAML 1.1 breaks them: at line feeds, carriage returns, next-line and the Unicode separators."""

from __future__ import annotations

import re

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_BREAK_CHARACTERS = "\n\r\x85\u2028\u2029"


def first_break(text: str) -> str:
    """What ends the first line; a line feed where nothing does."""
    found = _BREAK.search(text)
    return found.group() if found else "\n"


def line_start(text: str, place: int) -> int:
    """Where the line begins that holds a place."""
    while place > 0 and text[place - 1] not in _BREAK_CHARACTERS:
        place -= 1
    return place


def line_end(text: str, place: int) -> int:
    """Where the line that holds a place ends, before its break."""
    found = _BREAK.search(text, place)
    return found.start() if found else len(text)


def next_line(text: str, place: int) -> int:
    """Where the line after the one that holds a place begins; the end of the text where there is none."""
    found = _BREAK.search(text, place)
    return found.end() if found else len(text)


def column(text: str, place: int) -> int:
    """Characters before a place on its line."""
    return place - line_start(text, place)


def line_number(text: str, place: int) -> int:
    """Number of the line that holds a place, from 1, as editors count."""
    return len(_BREAK.findall(text, 0, place)) + 1


def break_before(text: str, start: int) -> int:
    """Where the break stands that ends the line above the one that begins at ``start``; 0 for the first line."""
    if text[:start].endswith("\r\n"):
        return start - 2
    return max(start - 1, 0)


def has_break(text: str, start: int, end: int) -> bool:
    """Whether a line ends between two places."""
    return _BREAK.search(text, start, end) is not None
