"""Constraints: ranges, quirks, and errors that name position and expectation."""

from __future__ import annotations

import pytest

from updater.errors import PlanError
from updater.rules.constraints import parse_constraint
from updater.rules.versions import parse_version


def _allowed(constraint: str, versions: str) -> str:
    parsed = parse_constraint(constraint)
    kept = []
    for text in versions.split():
        version = parse_version(text)
        assert version is not None
        if parsed.allows(version):
            kept.append(text)
    return " ".join(kept)


_LADDER = "0.0.0 0.0.1 0.0.3 0.1.0 0.2.3 0.3.0 0.9.0 1.0.0 1.1.9 1.2.0 1.2.3 1.2.9 1.3.0 1.9.9 2.0.0 2.5.0 3.0.0"


@pytest.mark.parametrize(
    ("constraint", "kept"),
    [
        ("1.2.3", "1.2.3"),
        ("=1.2", "1.2.0 1.2.3 1.2.9"),
        ("1", "1.0.0 1.1.9 1.2.0 1.2.3 1.2.9 1.3.0 1.9.9"),
        ("~1.2.3", "1.2.3 1.2.9"),
        ("~>1.2", "1.2.0 1.2.3 1.2.9"),
        ("^1.2.3", "1.2.3 1.2.9 1.3.0 1.9.9"),
        ("^0.2.3", "0.2.3"),
        ("^0.0.3", "0.0.3"),
        ("^0.0", "0.0.0 0.0.1 0.0.3"),
        ("^0", "0.0.0 0.0.1 0.0.3 0.1.0 0.2.3 0.3.0 0.9.0"),
        ("^*", "0.0.0"),
        ("~0.0", "0.0.0 0.0.1 0.0.3"),
        ("~0.0.0", _LADDER),
        ("~*", _LADDER),
        (">1.2", "1.3.0 1.9.9 2.0.0 2.5.0 3.0.0"),
        (">1", "2.0.0 2.5.0 3.0.0"),
        (">2.0.0", "2.5.0 3.0.0"),
        (">*", _LADDER.removeprefix("0.0.0 ")),
        ("<0.1", "0.0.0 0.0.1 0.0.3"),
        ("<=0.1", "0.0.0 0.0.1 0.0.3 0.1.0"),
        ("<=0", "0.0.0 0.0.1 0.0.3 0.1.0 0.2.3 0.3.0 0.9.0"),
        ("=<*", "0.0.0 0.0.1 0.0.3"),
        ("<=0.0.1", "0.0.0 0.0.1"),
        ("=>2.5", "2.5.0 3.0.0"),
        ("!=1 >=1.2.9", "2.0.0 2.5.0 3.0.0"),
        ("!=1.2 >=1.1.9 <2", "1.1.9 1.3.0 1.9.9"),
        ("!=1.2.3 1.2", "1.2.0 1.2.9"),
        ("!=*", _LADDER.removeprefix("0.0.0 ")),
        ("1.2 - 1.3", "1.2.0 1.2.3 1.2.9 1.3.0"),
        ("1.2 - 1.3.0 !=1.2.3", "1.2.0 1.2.9 1.3.0"),
        ("1.2 - 1.3!=1.2.3", "1.2.0 1.2.9 1.3.0"),
        ("<0.0.1 || 3", "0.0.0 3.0.0"),
        ("3||v1.2 - 1.2.3", "1.2.0 1.2.3 3.0.0"),
        ("1.2 - 1.3||3", "1.2.0 1.2.3 1.2.9 1.3.0 3.0.0"),
        ("<=3, 2 - 2.5", "2.0.0 2.5.0"),
        ("v1.2.x", "1.2.0 1.2.3 1.2.9"),
        (" \t>=2.5 ,\n<3 ", "2.5.0"),
    ],
)
def test_releases_inside(constraint: str, kept: str) -> None:
    assert _allowed(constraint, _LADDER) == kept


@pytest.mark.parametrize(
    ("constraint", "kept"),
    [
        pytest.param("1.x", "1.5.0", id="closed gate"),
        pytest.param("1.x-0", "1.0.0-rc.1 1.5.0-a 1.5.0", id="open gate"),
        pytest.param(">=1.5.0 <2.0.0-0", "1.5.0", id="one term opens the group, precedence decides"),
        pytest.param(">=1.0.0-0 <2.0.0", "1.0.0-rc.1 1.5.0-a 1.5.0 2.0.0-rc.1", id="pre-releases of the upper bound"),
        pytest.param("9.9.9-x || 1.x", "1.5.0", id="gate does not reach over ||"),
        pytest.param("!=1.5.0-a <2-0", "1.0.0-rc.1 1.5.0", id="excluded pre-release"),
        pytest.param("!=1.5-a", "1.0.0-rc.1 1.5.0 2.0.0-rc.1", id="open patch compares pre-releases"),
    ],
)
def test_prerelease_gate(constraint: str, kept: str) -> None:
    assert _allowed(constraint, "1.0.0-rc.1 1.5.0-a 1.5.0 2.0.0-rc.1") == kept


@pytest.mark.parametrize(
    ("constraint", "position", "expected"),
    [
        pytest.param("", 1, "a version", id="empty"),
        pytest.param("latest", 1, "a version", id="word"),
        pytest.param("1.2,", 5, "a version", id="trailing comma"),
        pytest.param(",1.2", 1, "a version", id="leading comma"),
        pytest.param("1.2 || ", 8, "a version", id="empty group"),
        pytest.param(">=1<2", 4, "a blank, a comma or '||'", id="no separator"),
        pytest.param("1.2.3.4", 6, "a blank, a comma or '||'", id="four numbers"),
        pytest.param("==1", 2, "a version", id="double equals"),
        pytest.param("> = 1", 3, "a version", id="divided operator"),
        pytest.param(">1 - 2", 1, "a hyphen range without an operator", id="operator before a range"),
        pytest.param("^3 1 - 2", 4, "a hyphen range without an operator", id="range after a blank"),
        pytest.param("^3||1 - 2", 5, "a hyphen range without an operator", id="range stuck to ||"),
        pytest.param("1 - ", 3, "a version", id="range without end"),
        pytest.param("1 - ^2", 3, "a version", id="operator inside a range"),
        pytest.param("1.0.0-01", 1, "a version whose parts are numbers below 2^64", id="zero-padded pre-release"),
        pytest.param("3|4", 1, "a version whose parts are numbers below 2^64", id="single bar"),
        pytest.param("1.xx", 1, "a version whose parts are numbers below 2^64", id="doubled wildcard"),
        pytest.param(
            ">1 18446744073709551616", 4, "a version whose parts are numbers below 2^64", id="number too great"
        ),
        pytest.param("\v1", 1, "a version", id="vertical tab"),
    ],
)
def test_error_names_position_and_expectation(constraint: str, position: int, expected: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_constraint(constraint)
    assert caught.value.code == "invalid_constraint"
    assert f"expected {expected}" in caught.value.what
    assert f"at position {position}," in caught.value.what


def test_word_gets_the_hint_to_follow_the_tag() -> None:
    with pytest.raises(PlanError, match="to follow the tag 'latest' itself, set the update strategy to digest"):
        parse_constraint(" latest ")


def test_endless_constraint_is_refused() -> None:
    with pytest.raises(PlanError, match="too long"):
        parse_constraint("1 " * 5000)


def test_prerelease_that_only_fails_the_gate_is_told_apart() -> None:
    constraint = parse_constraint("~1.2")
    inside, outside = parse_version("1.2.5-rc.1"), parse_version("1.3.0-rc.1")
    assert inside is not None
    assert outside is not None
    assert not constraint.allows(inside)
    assert constraint.allows_but_for_prerelease(inside)
    assert not constraint.allows_but_for_prerelease(outside)


def test_term_answers_for_itself() -> None:
    term = parse_constraint(">=2").groups[0].terms[0]
    version = parse_version("2.0.0")
    assert version is not None
    assert term.holds(version)
