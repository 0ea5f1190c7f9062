"""Duration texts."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.clock import DurationError, parse_duration_ns


def _duration(vector: Vector) -> Any:
    try:
        return {"ns": parse_duration_ns(vector.given)}
    except DurationError as problem:
        return {"error": problem.kind}


ADAPTERS = {"duration": _duration}
