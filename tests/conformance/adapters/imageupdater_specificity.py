"""The rule of an ``ImageUpdater`` document for one Application."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.rules.globs import Glob
from updater.rules.label_selectors import LabelSelector, Operator, Requirement
from updater.rules.specificity import ApplicationRule, choose_rule


def _specificity(vector: Vector) -> Any:
    rules = [_rule(raw) for raw in vector.given["application_refs"]]
    application = vector.given["app"]
    return {
        "scores": [rule.specificity for rule in rules],
        "chosen_index": choose_rule(rules, application["name"], application.get("labels", {})),
    }


def _rule(raw: dict[str, Any]) -> ApplicationRule:
    if "labelSelectors" not in raw:
        return ApplicationRule(Glob(raw["namePattern"]))
    labels = raw["labelSelectors"]["matchLabels"]
    requirements = tuple(Requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items())
    return ApplicationRule(Glob(raw["namePattern"]), LabelSelector("", requirements))


ADAPTERS = {"imageupdater_specificity": _specificity}
