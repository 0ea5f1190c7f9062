"""Differences for people: true for any two texts, as usual for small edits, and quick whatever the lines are."""

from __future__ import annotations

import difflib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.writeback.line_diffs import unified_lines

_TEXTS = st.lists(st.sampled_from("abcde"), max_size=12)
_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@given(before=_TEXTS, after=_TEXTS)
def test_the_difference_leads_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    assert _patched(before, list(unified_lines(before, after))) == after
    assert (not list(unified_lines(before, after))) == (before == after)


def _patched(before: list[str], diff: list[str]) -> list[str]:
    """What ``patch`` would make of it, which checks lines and numbers."""
    made: list[str] = []
    at = 0
    for line in diff:
        head = _HEAD.fullmatch(line)
        if head:
            place, count = int(head[1]), int(head[2] or 1)
            start = place - 1 if count else place
            made += before[at:start]
            at = start
            new_place, new_count = int(head[3]), int(head[4] or 1)
            assert len(made) == (new_place - 1 if new_count else new_place)
        elif line[0] in " -":
            assert before[at] == line[1:]
            made += [line[1:]] if line[0] == " " else []
            at += 1
        else:
            made.append(line[1:])
    return made + before[at:]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a b c d e f g", "a b X d e f g", id="one line changes"),
        pytest.param("a b c d e f g", "a b c X Y d e f g", id="lines are added"),
        pytest.param("a b c d e f g", "a b c e f g", id="a line goes"),
        pytest.param("a b c d e f g h i j", "a X c d e f g h Y j", id="two places"),
        pytest.param("", "a b", id="a new file"),
        pytest.param("a b", "a b c", id="at the end"),
    ],
)
def test_small_edits_look_as_usual(before: str, after: str) -> None:
    usual = difflib.unified_diff(before.split(), after.split(), lineterm="", n=1)
    assert list(unified_lines(before.split(), after.split())) == list(usual)[2:]


def test_lines_that_repeat_take_no_time() -> None:
    lines = [f"# {number % 101}" for number in range(300_000)]
    began_s = time.process_time()
    diff = list(unified_lines(["first", *lines, "last"], ["First", *lines, "Last"]))
    assert time.process_time() - began_s < 5
    assert [line for line in diff if line[0] in "+-"] == ["-first", "+First", "-last", "+Last"]
