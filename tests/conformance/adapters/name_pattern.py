"""Name patterns of Applications."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.rules.name_patterns import compile_name_patterns, split_patterns


def _name_pattern(vector: Vector) -> Any:
    if "flag_values" in vector.given:
        return {"patterns_out": list(split_patterns(vector.given["flag_values"]))}
    patterns = compile_name_patterns(vector.given["patterns"])
    name = vector.given["name"]
    return {"matches": patterns.matches(name), "invalid": list(patterns.malformed_before_match(name))}


ADAPTERS = {"name_pattern": _name_pattern}
