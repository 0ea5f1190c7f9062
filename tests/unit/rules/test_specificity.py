"""Scores of rules, and what they select."""

from __future__ import annotations

import pytest

from updater.rules.globs import Glob
from updater.rules.label_selectors import parse_label_selector
from updater.rules.specificity import ApplicationRule


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


def test_name_and_labels_have_to_match() -> None:
    rule = ApplicationRule(Glob("w*"), parse_label_selector("a,!b"))
    assert rule.matches("web", {"a": ""})
    assert not rule.matches("api", {"a": ""})
    assert not rule.matches("web", {"a": "", "b": ""})
