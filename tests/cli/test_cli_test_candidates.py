"""The table of candidates: order, forms, and what no tag may do to a terminal."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.cli.candidates import HEADINGS, print_candidates
from updater.model.images import Candidate, Choice, Loss
from updater.telemetry.candidates import CandidateRow, candidate_rows

DAY_NS = 86_400 * 10**9
DIGEST = "sha256:" + "a" * 64


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(rows: list[CandidateRow], monkeypatch: pytest.MonkeyPatch, verdict: str = "latest: x:1") -> str:
    """What a wide terminal shows."""
    screen = Terminal()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdout", screen)
    print_candidates(rows, verdict)
    return screen.getvalue()


def test_the_winner_comes_first_then_who_came_near_newest_first() -> None:
    losses = (
        ("1.2.0", Loss.OLDER),
        ("1.10.0", Loss.OLDER),
        ("1.9.0", Loss.OLDER),
        ("edge", Loss.NOT_A_VERSION),
        ("3.0.0", Loss.OUTSIDE_CONSTRAINT),
        ("2.0.0-rc.1", Loss.PRERELEASE),
        ("1.11.1", Loss.IGNORED),
    )
    rows = candidate_rows(Choice(Candidate("1.11.0"), 8, losses), {}, are_versions=True)
    assert [row.tag for row in rows] == [
        "1.11.0",
        "1.10.0",
        "1.9.0",
        "1.2.0",
        "2.0.0-rc.1",
        "3.0.0",
        "edge",
        "1.11.1",
    ]
    assert [row.loss for row in rows][:2] == [None, Loss.OLDER]


def test_texts_order_where_tags_are_no_versions_and_have_no_dates() -> None:
    losses = (("1.10", Loss.OLDER), ("1.9", Loss.OLDER), ("main", Loss.OLDER))
    assert [row.tag for row in candidate_rows(Choice(None, 3, losses), {})] == ["main", "1.9", "1.10"]


def test_dates_order_where_they_are_known() -> None:
    facts = {tag: Candidate(tag, day * DAY_NS, DIGEST) for tag, day in (("1", 3), ("2", 1), ("9", 2))}
    rows = candidate_rows(Choice(None, 3, tuple((tag, Loss.OLDER) for tag in facts)), facts)
    assert [(row.tag, row.created) for row in rows] == [
        ("1", "1970-01-04T00:00:00Z"),
        ("9", "1970-01-03T00:00:00Z"),
        ("2", "1970-01-02T00:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("candidate", "created"),
    [
        pytest.param(Candidate("1", 1_767_225_600 * 10**9, DIGEST), "2026-01-01T00:00:00Z", id="a date"),
        pytest.param(Candidate("1", -DAY_NS, DIGEST), "1969-12-31T00:00:00Z", id="before the epoch"),
        pytest.param(Candidate("1", 10**30, DIGEST), "", id="beyond the calendar"),
        pytest.param(Candidate("1", None, DIGEST), "", id="none"),
        pytest.param(Candidate("1", 7), "", id="a place in the list of a registry that lists by age"),
    ],
)
def test_only_real_dates_are_shown(candidate: Candidate, created: str) -> None:
    (row,) = candidate_rows(Choice(candidate, 1), {"1": candidate})
    assert (row.created, row.entry()["created"]) == (created, created or None)


@given(st.permutations([(f"{number}.0", loss) for number, loss in enumerate(Loss)]))
def test_the_order_does_not_depend_on_the_order_of_losses(losses: list[tuple[str, Loss]]) -> None:
    rows = candidate_rows(Choice(None, len(losses), tuple(losses)), {})
    assert [row.loss for row in rows] == [
        Loss.OLDER,
        Loss.PRERELEASE,
        Loss.OUTSIDE_CONSTRAINT,
        Loss.CONSTRAINT_UNREADABLE,
        Loss.PLATFORM_MISSING,
        Loss.METADATA_UNREADABLE,
        Loss.NOT_A_VERSION,
        Loss.NOT_ALLOWED,
        Loss.IGNORED,
        Loss.NOT_THE_TAG,
    ]


def test_lines_are_whole_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [CandidateRow(f"1.{number}", Loss.OLDER) for number in range(500)]
    print_candidates(rows, "latest: x:1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t") == [heading.lower() for heading in HEADINGS]
    assert lines[1:] == [f"1.{number}\tolder\t\t" for number in range(500)]


def test_a_terminal_gets_a_table_with_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([CandidateRow("1.1", None), CandidateRow("1.0", Loss.OLDER)], monkeypatch)
    assert "latest: x:1" in text
    assert "Created" not in text, "a column that would be empty is left out"
    with_dates = shown([CandidateRow("1.1", None, "2026-01-01T00:00:00Z", DIGEST)], monkeypatch)
    assert "Created" in with_dates
    assert DIGEST in with_dates


def test_a_long_table_says_how_much_it_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([CandidateRow(f"1.{number}", Loss.OLDER) for number in range(203)], monkeypatch)
    assert text.count("older") == 200
    assert "3 more are not shown" in text


def test_a_tag_cannot_steer_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([CandidateRow("\x1b]0;owned\x07[red]x", None)], monkeypatch)
    assert "\x1b]" not in text
    assert "[red]x" in text, "no markup either"
