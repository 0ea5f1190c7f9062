"""allow-tags, ignore-tags and the glob dialect."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.rules.filters import compile_filter, split_ignored_tags
from updater.rules.globs import Glob


def _glob(vector: Vector) -> Any:
    try:
        glob = Glob(vector.given["pattern"])
    except PlanError:
        return "bad_pattern"
    return "match" if glob.matches(vector.given["name"]) else "no_match"


def _kept(allow: str | None, ignore: str | None, tags: list[str]) -> list[str]:
    return compile_filter(allow or "", split_ignored_tags(ignore or "")).split(tags)[0]


def _allow(vector: Vector) -> Any:
    return _kept(vector.given["value"], None, vector.given["tags"])


def _ignore(vector: Vector) -> Any:
    return _kept(None, vector.given["value"], vector.given["tags"])


def _filter(vector: Vector) -> Any:
    return _kept(vector.given["allow_tags"], vector.given["ignore_tags"], vector.given["tags"])


ADAPTERS = {"glob": _glob, "allow": _allow, "ignore": _ignore, "filter": _filter}
