"""From a request to its outcome: the same client and the same selection that a round uses, for one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from updater.cli.test_request import TagRequest
from updater.clock import Clock, Deadline
from updater.model.images import Candidate, Choice, Inspection, Loss, Strategy
from updater.model.references import ImageReference
from updater.ports.progress import Progress
from updater.ports.registry import TagInspector, TagSource
from updater.rules.selection import CompiledRule, choose, choose_by_name, followed_tags, shortlist

LISTING_TIMEOUT_S = 180.0
"""For one listing, all pages, retries and tokens included (``registries.md`` 5.4)."""

INSPECTION_TIMEOUT_S = 3_600.0
"""For the metadata of all tags: a person waits and can stop it, so this only ends what is stuck."""

_SLICE = 64
"""Tags inspected between two steps of the progress bar: many enough to keep all workers of the client busy."""

_UNCOUNTED = frozenset({Loss.NOT_ALLOWED, Loss.IGNORED, Loss.PLATFORM_MISSING, Loss.METADATA_UNREADABLE})


class Registry(TagSource, TagInspector, Protocol):
    """What the test of an image needs of a registry."""


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """What selection said. ``listed`` counts the tags of the repository, None when they were not listed.

    ``facts`` are the candidates with what is known of them, by tag. ``latest`` is the reference to report: the winner;
    the current image when no tag remains (``runtime.md`` 2.3); None when nothing is eligible.
    """

    choice: Choice
    facts: Mapping[str, Candidate]
    latest: ImageReference | None
    listed: int | None = None

    @property
    def remaining(self) -> int:
        """Tags after the filters and the platforms."""
        return self.choice.considered - sum(loss in _UNCOUNTED for _, loss in self.choice.losses)


class TagTest:
    """Asks a registry about one image. ``credentials`` is a source as in the annotation, or empty."""

    def __init__(self, registry: Registry, clock: Clock, progress: Progress, credentials: str = "") -> None:
        self._registry = registry
        self._clock = clock
        self._progress = progress
        self._credentials = credentials

    def run(self, request: TagRequest) -> TagOutcome:
        """Raises ``RegistryError`` or ``CredentialError``."""
        rule, current = request.rule, request.image.reference
        tags = self._tags(request)
        facts = self._facts(request, tags)
        choice = choose(rule, facts.values()) if rule.needs_metadata else choose_by_name(rule, tags)
        outcome = TagOutcome(choice, facts, None, len(tags) if rule.needs_listing else None)
        return replace(outcome, latest=_latest(outcome, current))

    def _tags(self, request: TagRequest) -> Sequence[str]:
        if not request.rule.needs_listing:
            return (request.rule.rule.constraint,)
        deadline = Deadline.after(self._clock, LISTING_TIMEOUT_S)
        repository = request.image.reference.repository
        return self._registry.fetch_tags(repository, deadline, pull_secret=self._credentials).tags

    def _facts(self, request: TagRequest, tags: Sequence[str]) -> Mapping[str, Candidate]:
        """Candidates by tag; those that were filtered out are known by name, those that are gone are left out."""
        if not request.rule.needs_metadata:
            return MappingProxyType({})
        wanted = _wanted(request.rule, tags)
        filtered = {tag: Candidate(tag) for tag in tags if tag not in wanted}
        return filtered | {candidate.tag: candidate for candidate in self._inspect(request, wanted)}

    def _inspect(self, request: TagRequest, tags: Sequence[str]) -> list[Candidate]:
        found: list[Candidate] = []
        self._progress.started(len(tags))
        try:
            for start in range(0, len(tags), _SLICE):
                some = tags[start : start + _SLICE]
                found += self._fetch(request, some)
                for tag in some:
                    self._progress.advanced(tag)
        finally:
            self._progress.finished()
        return found

    def _fetch(self, request: TagRequest, tags: Sequence[str]) -> tuple[Candidate, ...]:
        rule = request.rule.rule
        return self._registry.fetch_candidates(
            request.image.reference.repository,
            tags,
            Inspection(rule.platforms, wants_created=rule.strategy is Strategy.NEWEST_BUILD),
            Deadline.after(self._clock, INSPECTION_TIMEOUT_S),
            pull_secret=self._credentials,
        )


def _wanted(rule: CompiledRule, tags: Sequence[str]) -> tuple[str, ...]:
    return shortlist(rule, tags) if rule.needs_listing else followed_tags(rule)


def _latest(outcome: TagOutcome, current: ImageReference) -> ImageReference | None:
    winner = outcome.choice.winner
    if winner is not None:
        return ImageReference(current.repository, winner.tag, winner.digest)
    return current if current.tag and not outcome.remaining else None
