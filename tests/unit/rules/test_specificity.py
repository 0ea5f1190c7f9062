"""Scores of rules and the choice among them."""

from __future__ import annotations

import pytest

from updater.rules.globs import Glob
from updater.rules.label_selectors import parse_label_selector
from updater.rules.specificity import ApplicationRule, choose_rule


@pytest.mark.parametrize(
    ("pattern", "selector", "score"),
    [
        ("web", None, 1_000_003),
        ("w*b?", None, 2),
        ("app-[0-9]x", None, 5),
        ("*", "", 10_000),
        ("*", "a=1,!b", 10_200),
        ("web", "a", 1_010_103),
    ],
)
def test_score(pattern: str, selector: str | None, score: int) -> None:
    labels = None if selector is None else parse_label_selector(selector)
    assert ApplicationRule(Glob(pattern), labels).specificity == score


def test_exact_name_beats_everything() -> None:
    rules = [ApplicationRule(Glob("*"), parse_label_selector("a,b,c")), ApplicationRule(Glob("web"))]
    assert choose_rule(rules, "web", {"a": "", "b": "", "c": ""}) == 1
    assert choose_rule(rules, "api", {"a": "", "b": "", "c": ""}) == 0
    assert choose_rule(rules, "api", {}) is None
