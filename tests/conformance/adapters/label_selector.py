"""Label selectors against the labels of an Application."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.rules.label_selectors import SelectorError, parse_label_selector


def _label_selector(vector: Vector) -> Any:
    try:
        selector = parse_label_selector(vector.given["selector"])
    except SelectorError as problem:
        return {"error": problem.kind}
    if "labels" in vector.given:
        return {"matches": selector.matches(vector.given["labels"])}
    rows = [
        {"key": requirement.key, "op": requirement.operator.value, "values": list(requirement.values)}
        for requirement in selector.requirements
    ]
    return {"requirements": rows}


ADAPTERS = {"label_selector": _label_selector}
