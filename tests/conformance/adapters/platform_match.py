"""Platforms of manifests against the wanted ones."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.rules.platforms import make_platform, parse_platform_filter


def _platform_match(vector: Vector) -> Any:
    raw = vector.given["candidate"]
    candidate = None if raw is None else make_platform(raw["os"], raw["architecture"], raw.get("variant", ""))
    return parse_platform_filter(vector.given["wanted"]).accepts(candidate)


ADAPTERS = {"platform_match": _platform_match}
