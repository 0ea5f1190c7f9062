"""Version texts, their order, and constraints."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.rules.constraints import parse_constraint
from updater.rules.versions import Version, parse_version


def _check(vector: Vector) -> Any:
    try:
        constraint = parse_constraint(vector.given["constraint"])
    except PlanError:
        return "constraint_error"
    version = parse_version(vector.given["version"])
    if version is None:
        return "version_error"
    return "satisfied" if constraint.allows(version) else "not_satisfied"


def _sort(vector: Vector) -> Any:
    return sorted(vector.given, key=_sort_key)


def _sort_key(text: str) -> tuple[Version, str]:
    version = parse_version(text)
    assert version is not None
    return version, text


def _is_version(vector: Vector) -> Any:
    return parse_version(vector.given) is not None


ADAPTERS = {"check": _check, "sort": _sort, "is_version": _is_version}
