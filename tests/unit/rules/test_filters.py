"""Globs, expressions and the two tag filters."""

from __future__ import annotations

import pytest

from updater.errors import PlanError
from updater.model.images import Loss
from updater.rules.filters import compile_filter, parse_allowed_tags, split_ignored_tags
from updater.rules.globs import Glob
from updater.rules.patterns import Pattern


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("a*c", "abbc", True),
        ("a**c", "ac", True),
        ("a*c", "ab/c", False),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("[^z-a]x", "bx", True),
        ("[z-a]x", "bx", False),
        ("[\\]\\-]", "]", True),
        ("[\\]\\-]", "-", True),
        ("[a-\\z]", "q", True),
        ("\\[", "[", True),
        ("a.c", "abc", False),
        ("a.*", "a.\n", True),
        ("x[^a]", "x\n", True),
        ("?", "\u00e9", True),
        ("*", "\ud800", True),
        ("(a|b)+", "(a|b)+", True),
    ],
)
def test_glob(glob: str, name: str, *, matches: bool) -> None:
    assert Glob(glob).matches(name) is matches


@pytest.mark.parametrize(
    ("glob", "position"),
    [
        ("[", 1),
        ("a[b", 2),
        ("[]", 2),
        ("[]a]", 2),
        ("[a-]", 4),
        ("[-a]", 2),
        ("[a-", 1),
        ("a\\", 2),
        ("[\\", 2),
        ("[^]", 3),
    ],
)
def test_malformed_glob_names_the_position(glob: str, position: int) -> None:
    with pytest.raises(PlanError, match=f"malformed at position {position}"):
        Glob(glob)


def test_glob_without_wildcards_is_literal() -> None:
    assert Glob("latest").is_literal
    assert not Glob("lat?st").is_literal
    assert repr(Glob("a*")) == "Glob('a*')"


@pytest.mark.parametrize("expression", ["\\C", "a\\C", "\\\\\\C", "\\Qa\\E\\C"])
def test_single_byte_escape_is_refused(expression: str) -> None:
    with pytest.raises(PlanError, match="is not supported"):
        Pattern(expression)


@pytest.mark.parametrize(("expression", "text"), [("\\\\C", "\\C"), ("\\Q\\C\\E", "\\C"), ("\\Q\\C", "\\C")])
def test_quoted_single_byte_escape_is_text(expression: str, text: str) -> None:
    assert Pattern(expression).is_found_in(text)


def test_expression_with_half_a_character_is_refused() -> None:
    with pytest.raises(PlanError, match="half a character"):
        Pattern("\ud800")


def test_refusal_gives_reason_and_hint() -> None:
    with pytest.raises(PlanError) as caught:
        Pattern("^(?!latest)")
    assert "invalid perl operator" in str(caught.value)
    assert "no look-around" in caught.value.hint


def test_pattern_shows_its_expression() -> None:
    assert repr(Pattern("^v")) == "Pattern('^v')"


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        pytest.param("^v1", "write 'regexp:^v1'", id="function left out"),
        pytest.param("regex:^v1", "write 'regexp:^v1'", id="function misspelled"),
        pytest.param("~1.0", "a constraint stands after the image's name", id="constraint"),
        pytest.param("regexp:(", "does not compile", id="broken expression"),
    ],
)
def test_mistake_in_allow_tags_lets_nothing_pass(value: str, mend: str) -> None:
    compiled = compile_filter(value, ())
    assert compiled.loss("v1") is Loss.NOT_ALLOWED
    assert [warned.kind for warned in compiled.warnings] == ["allow_tags_invalid"]
    assert mend in compiled.warnings[0].text


@pytest.mark.parametrize("value", ["", "  ", "any", "ANY", "regexp:"])
def test_every_tag_is_allowed(value: str) -> None:
    assert parse_allowed_tags(value).accepts is None
    assert compile_filter(value, ()).accepts_everything


def test_ignored_tags_are_names_and_globs() -> None:
    compiled = compile_filter("regexp:^[lv1]", split_ignored_tags("latest, *-rc*,,[a"))
    assert compiled.loss("latest") is Loss.IGNORED
    assert compiled.loss("1-rc2") is Loss.IGNORED
    assert compiled.loss("main") is Loss.NOT_ALLOWED
    assert compiled.loss("v1") is None
    assert [warned.kind for warned in compiled.warnings] == ["ignore_tags_invalid"]
    assert "'[a'" in compiled.warnings[0].text
    assert not compiled.accepts_everything


def test_split_keeps_order_and_gives_reasons() -> None:
    kept, lost = compile_filter("", ("b",)).split(["c", "b", "a"])
    assert kept == ["c", "a"]
    assert lost == [("b", Loss.IGNORED)]
