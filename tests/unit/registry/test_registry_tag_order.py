"""Registries whose order of tags stands for time."""

from __future__ import annotations

import pytest

from updater.model.images import Strategy, TagRule
from updater.registry.endpoints import TagSortMode
from updater.registry.tag_order import positions
from updater.rules.selection import choose, compile_rule, shortlist


@pytest.mark.parametrize(("mode", "winner"), [(TagSortMode.LATEST_FIRST, "c"), (TagSortMode.LATEST_LAST, "a")])
def test_the_place_in_the_list_stands_in_for_the_date_after_filtering(mode: TagSortMode, winner: str) -> None:
    rule = compile_rule(TagRule(Strategy.NEWEST_BUILD, ignore_tags=("x", "y")))
    listed = ["x", "c", "b", "a", "y"]
    chosen = choose(rule, positions(listed, shortlist(rule, listed), mode)).winner
    assert chosen is not None
    assert chosen.tag == winner


def test_a_tag_that_is_not_listed_is_left_out() -> None:
    assert [each.tag for each in positions(["b", "a"], ["a", "gone"], TagSortMode.LATEST_LAST)] == ["a"]
