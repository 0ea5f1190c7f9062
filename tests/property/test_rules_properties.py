"""What holds for every text and every order: parsers, precedence, filters, choice."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import PlanError, UpdaterError
from updater.model.images import Candidate, Loss, Strategy, TagRule
from updater.rules.constraints import parse_constraint
from updater.rules.filters import compile_filter, parse_allowed_tags
from updater.rules.globs import Glob
from updater.rules.label_selectors import parse_label_selector
from updater.rules.patterns import Pattern
from updater.rules.platforms import parse_platform, parse_platform_filter
from updater.rules.selection import Selector, choose, choose_by_name, compile_rule, shortlist
from updater.rules.versions import Version, parse_version

_TAG_ALPHABET = "0123456789abvxX.-_"
_NUMBERS = st.integers(0, 12).map(str)
_IDENTIFIERS = st.sampled_from(["0", "1", "2", "10", "a", "b", "rc", "A", "a-b", "0a", "-"])
_PRERELEASES = st.lists(_IDENTIFIERS, max_size=3).map(".".join)
_FULL_VERSIONS = st.builds(
    lambda numbers, pre: ".".join(numbers) + (f"-{pre}" if pre else ""),
    st.lists(_NUMBERS, min_size=3, max_size=3),
    _PRERELEASES,
)
_VERSION_TAGS = st.builds(
    lambda v, numbers, pre: v + ".".join(numbers) + (f"-{pre}" if pre else ""),
    st.sampled_from(["", "v"]),
    st.lists(_NUMBERS, min_size=1, max_size=3),
    _PRERELEASES,
)
_TAGS = st.one_of(_VERSION_TAGS, st.text(_TAG_ALPHABET, min_size=1, max_size=12))
_OPERATORS = st.sampled_from(["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"])
_TERMS = st.builds(
    lambda operator, parts, pre: operator + ".".join(parts) + (f"-{pre}" if pre else ""),
    _OPERATORS,
    st.lists(st.sampled_from(["0", "1", "2", "3", "x", "*"]), min_size=1, max_size=3),
    st.sampled_from(["", "0", "rc.1"]),
)
_CONSTRAINTS = st.lists(st.lists(_TERMS, min_size=1, max_size=2).map(" ".join), min_size=1, max_size=2).map(" || ".join)
_EXPRESSIONS = st.sampled_from(["", "any", "regexp:^v", "regexp:^[0-9.]+$", "regexp:rc", "regexp:("])
_GLOBS = st.sampled_from(["latest", "*-rc*", "v*", "*", "[", "1.?", "[^v]*"])


def _version(text: str) -> Version:
    version = parse_version(text)
    assert version is not None
    return version


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (parse_version, parse_constraint, Glob, Pattern, parse_label_selector, parse_platform):
        assert "\n" not in _complaint(parse, text)
    parse_allowed_tags(f"regexp:{text}")
    compile_filter(text, (text,)).split([text])
    parse_platform_filter([text])


@given(st.text("0123456789vxX*.-+<>=!~^|, \t", max_size=30))
def test_no_constraint_like_text_breaks_the_parser(text: str) -> None:
    complaint = _complaint(parse_constraint, text)
    assert not complaint or "position" in complaint


def _complaint(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except UpdaterError as problem:
        return str(problem)
    return ""


@given(_VERSION_TAGS)
def test_a_version_renders_to_itself(text: str) -> None:
    version = _version(text)
    assert parse_version(str(version)) == version


@given(_FULL_VERSIONS, _FULL_VERSIONS)
def test_order_equals_the_library(left: str, right: str) -> None:
    ours, theirs = (_version(left), _version(right)), (semver.Version.parse(left), semver.Version.parse(right))
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])
    assert ours[0].to_semver() == theirs[0]


@given(st.integers(2**64 - 3, 2**64 + 3), st.integers(0, 30))
def test_numbers_end_at_64_bits(number: int, zeros: int) -> None:
    assert (parse_version("0" * zeros + str(number)) is not None) is (number < 2**64)


@given(_VERSION_TAGS, _VERSION_TAGS, _VERSION_TAGS)
def test_order_is_total(first: str, second: str, third: str) -> None:
    versions = [_version(text) for text in (first, second, third)]
    assert len({tuple(sorted(order)) for order in itertools.permutations(versions)}) == 1
    for left, right in itertools.pairwise(versions):
        assert (left < right) + (left == right) + (left > right) == 1


@given(_CONSTRAINTS, _VERSION_TAGS)
def test_the_gate_only_ever_takes_away(constraint: str, tag: str) -> None:
    parsed, version = parse_constraint(constraint), _version(tag)
    if parsed.allows(version):
        assert parsed.allows_but_for_prerelease(version)
    if not version.is_prerelease:
        assert parsed.allows(version) == parsed.allows_but_for_prerelease(version)


@given(st.lists(_CONSTRAINTS, min_size=1, max_size=3), _VERSION_TAGS)
def test_or_is_any(constraints: list[str], tag: str) -> None:
    version = _version(tag)
    together = parse_constraint("||".join(constraints)).allows(version)
    assert together == any(parse_constraint(constraint).allows(version) for constraint in constraints)


@given(
    st.lists(_TAGS, max_size=15),
    _CONSTRAINTS,
    _EXPRESSIONS,
    st.lists(_GLOBS, max_size=2),
    st.sampled_from([Strategy.SEMVER, Strategy.ALPHABETICAL]),
    st.randoms(use_true_random=False),
)
def test_choice_obeys_the_rule_in_any_order(
    tags: list[str],
    constraint: str,
    allow_tags: str,
    ignore_tags: list[str],
    strategy: Strategy,
    order: random.Random,
) -> None:
    compiled = compile_rule(TagRule(strategy, constraint, allow_tags=allow_tags, ignore_tags=tuple(ignore_tags)))
    choice = choose_by_name(compiled, tags)
    shuffled = order.sample(tags, len(tags))
    assert choose_by_name(compiled, shuffled + shuffled, Selector()) == choice
    assert choose(compiled, [Candidate(tag) for tag in shuffled]) == choice
    winner = [choice.winner.tag] if choice.winner else []
    assert sorted([tag for tag, _ in choice.losses] + winner) == sorted(set(tags))
    assert (choice.winner is None) is (choice.none_because is not None)
    for tag in winner:
        assert compiled.tag_filter.loss(tag) is None
        assert strategy is Strategy.ALPHABETICAL or parse_constraint(constraint).allows(_version(tag))
    for tag, loss in choice.losses:
        if loss is Loss.OLDER and strategy is Strategy.SEMVER:
            assert (_version(tag), tag) < (_version(winner[0]), winner[0])


_CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.sampled_from("abcdef"),
        st.one_of(st.none(), st.integers(-3, 3)),
        st.sampled_from(["", "sha256:x", "sha256:y"]),
        st.sampled_from([None, None, Loss.PLATFORM_MISSING, Loss.METADATA_UNREADABLE]),
    ),
    max_size=6,
    unique_by=lambda candidate: candidate.tag,
)


@given(_CANDIDATES, st.sampled_from([Strategy.NEWEST_BUILD, Strategy.DIGEST]), st.randoms(use_true_random=False))
def test_choice_by_metadata_is_one_of_the_shortlist_in_any_order(
    candidates: list[Candidate], strategy: Strategy, order: random.Random
) -> None:
    compiled = compile_rule(TagRule(strategy, "c", ignore_tags=("a",)))
    choice = choose(compiled, candidates)
    assert choose(compiled, order.sample(candidates, len(candidates))) == choice
    assert choice.considered == len(candidates)
    if choice.winner is not None:
        assert choice.winner.tag in shortlist(compiled, [candidate.tag for candidate in candidates])
        assert choice.winner.loss is None


@given(st.text("abc*?", max_size=8), st.text("abc", max_size=8))
def test_glob_agrees_with_a_plain_matcher(glob: str, name: str) -> None:
    assert Glob(glob).matches(name) is _matches(glob, name)


def _matches(glob: str, name: str) -> bool:
    """The definition, by recursion: exponential, for short texts only."""
    if not glob:
        return not name
    if glob[0] == "*":
        return any(_matches(glob[1:], name[skip:]) for skip in range(len(name) + 1))
    return bool(name) and glob[0] in ("?", name[0]) and _matches(glob[1:], name[1:])


@given(st.text(st.characters(exclude_characters="/", exclude_categories=("Cs",)), max_size=10))
def test_quoted_text_matches_itself(text: str) -> None:
    assert Glob("".join(f"\\{character}" for character in text)).matches(text)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("(a+)+$", id="nested repetition"),
        pytest.param("(a|a)*b", id="ambiguous alternatives"),
        pytest.param("(.*a){20}", id="counted stars"),
        pytest.param("(a?){100}a{100}", id="optional repetition"),
    ],
)
def test_killer_expressions_take_no_time(expression: str) -> None:
    pattern = Pattern(expression)
    assert pattern.is_found_in("a" * 100_000 + "!") in (True, False)


def test_killer_globs_take_no_time() -> None:
    assert not Glob("*a" * 60 + "b").matches("a" * 20_000)
    assert not Glob("*" * 20_000 + "b").matches("a" * 20_000)
    with pytest.raises(PlanError, match="too long"):
        Glob("*a" * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1" * 4000, id="digits"),
        pytest.param(" " * 4000, id="blanks"),
        pytest.param("1 " * 2000, id="terms"),
        pytest.param("1-" * 2000, id="hyphens"),
        pytest.param("1-a." * 1000, id="identifiers"),
        pytest.param("|" * 4001, id="bars"),
        pytest.param("1 - 2 " * 600, id="ranges"),
    ],
)
def test_killer_constraints_take_no_time(text: str) -> None:
    assert _complaint(parse_constraint, text) or parse_constraint(text).groups


def test_killer_tags_take_no_time() -> None:
    for text in ("1" * 200_000, "1-" + "a." * 100_000, "1-" + "0" * 200_000, "v" * 200_000):
        assert parse_version(text) is None
