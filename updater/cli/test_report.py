"""The result of ``test`` for people and for programs; ``docs/reference-output.md`` describes every key."""

from __future__ import annotations

import json

from updater.cli.candidates import print_candidates
from updater.cli.test_outcome import TagOutcome
from updater.cli.test_request import TagRequest
from updater.model.images import Strategy
from updater.registry.endpoints import RemoteRepository
from updater.telemetry.candidates import CandidateRow, candidate_rows

SCHEMA_VERSION = 1
"""Raised when a key of the document goes away or changes its meaning; new keys do not raise it."""


class TagReport:
    """Which tag the image would get, and why the others lost."""

    def __init__(self, request: TagRequest, remote: RemoteRepository, outcome: TagOutcome) -> None:
        self._request = request
        self._remote = remote
        self._outcome = outcome

    def print(self, output: str) -> None:
        """On standard output, as ``output`` (``text`` or ``json``) says."""
        are_versions = self._request.rule.rule.strategy is Strategy.SEMVER
        rows = candidate_rows(self._outcome.choice, self._outcome.facts, are_versions=are_versions)
        if output == "json":
            print(json.dumps(self._document(rows), indent=2))  # noqa: T201 - this is the result
        else:
            print_candidates(rows, self._verdict())

    def _verdict(self) -> str:
        latest = self._outcome.latest
        return f"latest: {latest.full_reference}" if latest else f"nothing fits: {self._outcome.choice.problem}"

    def _document(self, rows: list[CandidateRow]) -> dict[str, object]:
        image, rule, outcome = self._request.image, self._request.rule.rule, self._outcome
        choice = outcome.choice
        return {
            "schemaVersion": SCHEMA_VERSION,
            "command": "test",
            "image": image.reference.repository.full_name,
            "alias": image.alias,
            "current": image.reference.tag or None,
            "currentDigest": image.reference.digest or None,
            "registry": self._remote.endpoint.api_url,
            "strategy": rule.strategy.value,
            "constraint": rule.constraint or None,
            "platforms": list(rule.platforms) if self._request.rule.needs_metadata else None,
            "latest": outcome.latest.full_reference if outcome.latest else None,
            "outcome": choice.none_because.value if choice.none_because else "found",
            "problem": choice.problem or None,
            "tagsListed": outcome.listed,
            "tagsRemaining": outcome.remaining,
            "warnings": [{"kind": warning.kind, "text": warning.text} for warning in self._request.warnings],
            "candidates": [row.entry() for row in rows],
        }
