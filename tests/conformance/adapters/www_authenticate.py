"""Challenges of registries, and which of them is answered."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.registry.challenges import parse_challenges, select_challenge


def _www_authenticate(vector: Vector) -> Any:
    challenges = parse_challenges(vector.given["headers"])
    chosen = select_challenge(challenges, has_credentials=vector.given["credentials"])
    return {
        "challenges": [{"scheme": one.scheme, "params": dict(one.parameters)} for one in challenges],
        "selected": None if chosen is None else challenges.index(chosen),
    }


ADAPTERS = {"www_authenticate": _www_authenticate}
