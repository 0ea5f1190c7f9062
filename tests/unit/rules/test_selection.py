"""Shortlist and choose, for every strategy."""

from __future__ import annotations

import pytest

from updater.model.images import Candidate, Loss, Reason, Strategy, TagRule
from updater.rules.selection import (
    Selector,
    choose,
    choose_by_name,
    compile_rule,
    followed_tags,
    shortlist,
)

_DIGEST = "sha256:" + "a" * 64


def test_semver_winner_and_every_loss() -> None:
    rule = compile_rule(TagRule(constraint="~1.2", allow_tags="regexp:^[0-9l]", ignore_tags=("1.2.9",)))
    tags = ["1.2.0", "1.2.3", "1.2.4-rc.1", "1.2.9", "1.3.0-rc.1", "2.0.0", "latest", "main", "1.2.0"]
    choice = choose_by_name(rule, tags)
    assert choice.winner == Candidate("1.2.3")
    assert dict(choice.losses) == {
        "1.2.0": Loss.OLDER,
        "1.2.4-rc.1": Loss.PRERELEASE,
        "1.2.9": Loss.IGNORED,
        "1.3.0-rc.1": Loss.OUTSIDE_CONSTRAINT,
        "2.0.0": Loss.OUTSIDE_CONSTRAINT,
        "latest": Loss.NOT_A_VERSION,
        "main": Loss.NOT_ALLOWED,
    }
    assert choice.considered == 8


def test_both_constraints_must_hold() -> None:
    rule = compile_rule(TagRule(constraint=">=1.2", semver_constraint="<2"))
    assert choose_by_name(rule, ["1.1.0", "1.5.0", "2.0.0"]).winner == Candidate("1.5.0")


def test_no_version_is_outside_a_constraint_that_cannot_be_read() -> None:
    choice = choose_by_name(compile_rule(TagRule(constraint="~one")), ["1.0", "main"])
    assert dict(choice.losses) == {"1.0": Loss.CONSTRAINT_UNREADABLE, "main": Loss.NOT_A_VERSION}
    assert "'~one'" in choice.problem


@pytest.mark.parametrize(
    ("rule", "tags", "reason", "problem"),
    [
        pytest.param(TagRule(), [], Reason.NO_TAGS, "lists no tag", id="no tags"),
        pytest.param(TagRule(), ["main"], Reason.NOTHING_FITS, "none of 1 tags fits: 1 not a version", id="no version"),
        pytest.param(TagRule(constraint="~3"), ["1.0"], Reason.OUTSIDE_CONSTRAINT, "no tag satisfies", id="outside"),
        pytest.param(
            TagRule(), ["1-rc"], Reason.OUTSIDE_CONSTRAINT, "1 were excluded only for being", id="pre-releases"
        ),
        pytest.param(TagRule(constraint="x y"), ["1.0"], Reason.INVALID_CONSTRAINT, "at position 3", id="constraint"),
        pytest.param(TagRule(semver_constraint="?"), ["1.0"], Reason.INVALID_CONSTRAINT, "position 1", id="annotation"),
        pytest.param(TagRule(constraint="x y"), ["main"], Reason.NOTHING_FITS, "none of 1", id="emptiness comes first"),
        pytest.param(TagRule(allow_tags="v1"), ["1.0"], Reason.NOTHING_FITS, "neither 'any' nor", id="allow-tags"),
        pytest.param(TagRule(Strategy.ALPHABETICAL), [], Reason.NO_TAGS, "lists no tag", id="alphabetical, no tags"),
        pytest.param(
            TagRule(Strategy.ALPHABETICAL, ignore_tags=("*",)), ["a"], Reason.NOTHING_FITS, "1 ignored", id="paused"
        ),
        pytest.param(
            TagRule(Strategy.DIGEST), ["a"], Reason.INVALID_CONSTRAINT, "needs the tag", id="digest without tag"
        ),
        pytest.param(
            TagRule(Strategy.DIGEST, "b"),
            ["a"],
            Reason.NOTHING_FITS,
            "to follow, 'b', is not in",
            id="followed tag missing",
        ),
        pytest.param(TagRule(Strategy.DIGEST, "b"), [], Reason.NO_TAGS, "to follow", id="digest, no tags"),
        pytest.param(
            TagRule(Strategy.NEWEST_BUILD), ["a"], Reason.NOTHING_FITS, "metadata unreadable", id="no metadata"
        ),
    ],
)
def test_no_winner_has_one_reason(rule: TagRule, tags: list[str], reason: Reason, problem: str) -> None:
    choice = choose_by_name(compile_rule(rule), tags)
    assert choice.winner is None
    assert choice.none_because is reason
    assert problem in choice.problem
    assert {tag for tag, _ in choice.losses} == set(tags)


def test_alphabetical_takes_the_last_in_byte_order() -> None:
    choice = choose(compile_rule(TagRule(Strategy.ALPHABETICAL)), [Candidate("a"), Candidate("b"), Candidate("B")])
    assert choice.winner == Candidate("b")
    assert choice.losses == (("B", Loss.OLDER), ("a", Loss.OLDER))


def test_newest_build_orders_by_time_then_text_and_undated_first() -> None:
    rule = compile_rule(TagRule(Strategy.NEWEST_BUILD))
    dated = [Candidate("a", 5), Candidate("b", 5), Candidate("c", 4), Candidate("z")]
    assert choose(rule, dated).winner == Candidate("b", 5)
    assert choose(rule, [Candidate("y"), Candidate("z")]).winner == Candidate("z")
    assert choose(rule, [Candidate("a", -1), Candidate("z")]).winner == Candidate("a", -1)


def test_newest_build_drops_the_digest_of_its_winner() -> None:
    assert choose(compile_rule(TagRule(Strategy.NEWEST_BUILD)), [Candidate("a", 5, _DIGEST)]).winner == Candidate(
        "a", 5
    )


def test_newest_build_passes_over_what_inspection_ruled_out() -> None:
    candidates = [Candidate("a", 1), Candidate("b", 2, loss=Loss.PLATFORM_MISSING)]
    choice = choose(compile_rule(TagRule(Strategy.NEWEST_BUILD)), candidates)
    assert choice.winner == Candidate("a", 1)
    assert choice.losses == (("b", Loss.PLATFORM_MISSING),)


def test_digest_follows_its_tag() -> None:
    rule = compile_rule(TagRule(Strategy.DIGEST, "prod"))
    choice = choose(rule, [Candidate("prod", digest=_DIGEST), Candidate("dev")])
    assert choice.winner == Candidate("prod", digest=_DIGEST)
    assert choice.losses == (("dev", Loss.NOT_THE_TAG),)


def test_digest_without_a_digest_is_no_winner() -> None:
    choice = choose(compile_rule(TagRule(Strategy.DIGEST, "prod")), [Candidate("prod")])
    assert choice.losses == (("prod", Loss.METADATA_UNREADABLE),)
    assert choice.winner is None


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(TagRule(), (), id="semver"),
        pytest.param(TagRule(Strategy.ALPHABETICAL), (), id="alphabetical"),
        pytest.param(TagRule(Strategy.NEWEST_BUILD, ignore_tags=("b",)), ("a", "c"), id="newest-build"),
        pytest.param(TagRule(Strategy.DIGEST, "b"), ("b",), id="digest"),
        pytest.param(TagRule(Strategy.DIGEST, "b", ignore_tags=("b",)), (), id="digest, ignored"),
    ],
)
def test_shortlist_is_what_needs_inspection(rule: TagRule, expected: tuple[str, ...]) -> None:
    assert shortlist(compile_rule(rule), ["c", "b", "a", "a"]) == expected


def test_digest_needs_no_listing() -> None:
    rule = compile_rule(TagRule(Strategy.DIGEST, "prod"))
    assert not rule.needs_listing
    assert followed_tags(rule) == ("prod",)
    assert followed_tags(compile_rule(TagRule())) == ()


def test_selector_remembers_rules_and_versions_up_to_its_bounds() -> None:
    selector = Selector(max_rules=2, max_versions=2)
    first = selector.compile(TagRule(constraint="1"))
    assert selector.compile(TagRule(constraint="1")) is first
    for constraint in ("2", "3"):
        selector.compile(TagRule(constraint=constraint))
    assert selector.compile(TagRule(constraint="1")) is not first
    version = selector.parse_version("1.0.1")
    assert selector.parse_version("1.0.1") is version
    assert [selector.parse_version(tag) for tag in ("main", "main", "2")][:2] == [None, None]
    assert selector.parse_version("1.0.1") is not version


def test_selector_chooses_like_the_functions() -> None:
    selector = Selector()
    rule = TagRule(Strategy.NEWEST_BUILD)
    assert selector.choose(rule, [Candidate("a", 1)]).winner == Candidate("a", 1)
    assert selector.choose_by_name(TagRule(), ["1", "2"]).winner == Candidate("2")


def test_rule_collects_the_mistakes_of_its_owner() -> None:
    rule = compile_rule(TagRule(Strategy.NEWEST_BUILD, allow_tags="x", ignore_tags=("[",), platforms=("amd64",)))
    assert [warned.kind for warned in rule.warnings] == [
        "allow_tags_invalid",
        "ignore_tags_invalid",
        "platform_invalid",
    ]


def test_a_choice_is_remembered_for_the_same_rule_and_list() -> None:
    selector = Selector()
    tags = ("1.0.0", "1.1.0")

    first = selector.choose_by_name(TagRule(constraint="^1"), tags)

    assert selector.choose_by_name(TagRule(constraint="^1"), list(tags)) is first
    assert selector.choose_by_name(TagRule(constraint="~1.0"), tags) is not first
    assert selector.choose_by_name(TagRule(constraint="^1"), (*tags, "1.2.0")).winner == Candidate("1.2.0")


def test_remembered_choices_are_bounded_by_their_tags() -> None:
    selector = Selector(max_chosen_tags=5)
    rule = TagRule(constraint="^1")
    first = selector.choose_by_name(rule, ("1.0.0", "1.1.0"))
    selector.choose_by_name(rule, ("1.0.0", "1.1.0", "1.2.0", "1.3.0"))

    assert selector.choose_by_name(rule, ("1.0.0", "1.1.0")) is not first
