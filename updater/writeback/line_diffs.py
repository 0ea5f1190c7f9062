"""Unified differences of two texts that are nearly the same, in linear time. Pure.

``difflib`` takes quadratic time where lines repeat: hours for ten megabytes of a few comments again and again, and the
files are whatever the people of a repository put there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

CONTEXT = 1
"""Equal lines around each change."""
_LOOK_AHEAD = 100
"""Lines in which the texts have to meet again; if they do not, all that follows counts as changed."""


class _Stretch(NamedTuple):
    """``before[old:old_end]`` became ``after[new:new_end]``."""

    old: int
    old_end: int
    new: int
    new_end: int


def unified_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The hunks, each with its ``@@`` line; nothing for equal texts."""
    hunk: list[_Stretch] = []
    for stretch in _stretches(before, after):
        if hunk and stretch.old - hunk[-1].old_end > 2 * CONTEXT:
            yield from _shown(hunk, before, after)
            hunk = []
        hunk.append(stretch)
    if hunk:
        yield from _shown(hunk, before, after)


def _stretches(before: Sequence[str], after: Sequence[str]) -> Iterator[_Stretch]:
    old = new = 0
    while old < len(before) or new < len(after):
        equal = _equal_lines(before, old, after, new)
        old, new = old + equal, new + equal
        if old == len(before) and new == len(after):
            return
        old_end, new_end = _meeting(before[old : old + _LOOK_AHEAD], after[new : new + _LOOK_AHEAD])
        stretch = _Stretch(old, old + old_end, new, new + new_end)
        if (old_end, new_end) == (_LOOK_AHEAD, _LOOK_AHEAD):
            stretch = _Stretch(old, len(before), new, len(after))
        yield stretch
        old, new = stretch.old_end, stretch.new_end


def _equal_lines(before: Sequence[str], old: int, after: Sequence[str], new: int) -> int:
    """How many lines are equal from two places on. Most are, so many are compared at a time."""
    first = old
    while old < len(before) and before[old : old + _LOOK_AHEAD] == after[new : new + _LOOK_AHEAD]:
        piece = min(_LOOK_AHEAD, len(before) - old)
        old, new = old + piece, new + piece
    while old < len(before) and new < len(after) and before[old] == after[new]:
        old, new = old + 1, new + 1
    return old - first


def _meeting(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many lines of both go until the next one is equal; all of them where none is."""
    for distance in range(1, len(before) + len(after)):
        shortest = max(0, distance - len(after) + 1)
        for old in range(shortest, min(distance, len(before) - 1) + 1):
            if before[old] == after[distance - old]:
                return old, distance - old
    return len(before), len(after)


def _shown(hunk: Sequence[_Stretch], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    lead, trail = min(CONTEXT, first.old), min(CONTEXT, len(before) - last.old_end)
    old = _range(first.old - lead, last.old_end + trail)
    new = _range(first.new - lead, last.new_end + trail)
    yield f"@@ -{old} +{new} @@"
    at = first.old - lead
    for stretch in hunk:
        yield from (f" {line}" for line in before[at : stretch.old])
        yield from (f"-{line}" for line in before[stretch.old : stretch.old_end])
        yield from (f"+{line}" for line in after[stretch.new : stretch.new_end])
        at = stretch.old_end
    yield from (f" {line}" for line in before[at : last.old_end + trail])


def _range(start: int, end: int) -> str:
    """As GNU diff writes it: an empty range names the line before it, and the number of a single line is left out."""
    if end - start == 1:
        return f"{start + 1}"
    return f"{start + 1 if end > start else start},{end - start}"
