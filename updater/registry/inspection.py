"""Inspecting tags: from names to candidates with digest, creation time, or the reason why they are none.

Rules: ``registries.md`` 3.7, 4.1 (decision D8) and 6.2. A failure that speaks of one tag for good makes that tag no
candidate; any other ends the inspection, because choosing among the rest could choose an older image.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from updater.clock import Deadline
from updater.errors import RegistryError
from updater.model.images import Candidate, Inspection, Loss
from updater.ports.log import EventLog
from updater.registry.authorization import Visit
from updater.registry.content import ContentMissing, RepositoryContent
from updater.registry.failures import CONTENT_CODES
from updater.registry.image_facts import ImageReader, Question
from updater.registry.object_memory import ObjectMemory
from updater.registry.polls import PollKey
from updater.registry.tag_memory import KnownTag, TagMemory
from updater.rules.platforms import parse_platform_filter

WORKERS = 8
"""Tags of one repository inspected at a time; what reaches the registry is bounded per origin."""


@dataclass(frozen=True, slots=True)
class _Poll:
    """One inspection: the question, whose memory it uses, and which tags have to be looked at."""

    question: Question
    key: PollKey
    known: dict[str, KnownTag]
    is_mostly_new: bool


class TagInspection:
    """Makes candidates of tags. Thread-safe."""

    def __init__(
        self,
        content: RepositoryContent,
        images: ImageReader,
        memory: TagMemory,
        objects: ObjectMemory,
        log: EventLog,
    ) -> None:
        self._content = content
        self._images = images
        self._memory = memory
        self._objects = objects
        self._log = log

    def fetch(
        self, visit: Visit, key: PollKey, tags: Sequence[str], inspection: Inspection, deadline: Deadline
    ) -> tuple[Candidate, ...]:
        """One candidate per tag that exists, in order; raises ``RegistryError``."""
        question = Question(visit, parse_platform_filter(inspection.platforms), inspection.wants_created, deadline)
        known = self._memory.recall(key, tags)
        is_mostly_new = 2 * len(known) < len(tags) and not self._objects.knows_repository(key.tags_url)
        poll = _Poll(question, key, known, is_mostly_new)
        try:
            kept = self._known_candidates(poll, tags)
            unseen = [tag for tag in tags if tag not in kept]
            looked = self._in_pool(poll, unseen)
        finally:
            # What was read before a failure need not be read again by the next attempt.
            self._objects.flush()
        if unseen:
            self._objects.note_repository(key.tags_url)
        found = (kept[tag] if tag in kept else looked[tag] for tag in tags)
        return tuple(candidate for candidate in found if candidate is not None)

    def _known_candidates(self, poll: _Poll, tags: Sequence[str]) -> dict[str, Candidate | None]:
        """Candidates by tag for all that is known and need not be looked at again; None for a tag that is missing."""
        fresh = {tag for tag, known in poll.known.items() if not self._memory.is_old(poll.key, known)}
        missing = {tag: None for tag in fresh if poll.known[tag].is_missing}
        there = [tag for tag in tags if tag in poll.known and _can_be_recalled(poll, poll.known[tag])]
        if not poll.question.wants_created:
            return missing | {tag: self._recalled(poll, tag) for tag in there if tag in fresh}
        candidates = [self._recalled(poll, tag) for tag in there]
        newest_first = [candidate.tag for candidate in sorted(candidates, key=_age_key, reverse=True)]
        again = self._memory.to_look_at(poll.key, poll.known, newest_first)
        return missing | {candidate.tag: candidate for candidate in candidates if candidate.tag not in again}

    def _recalled(self, poll: _Poll, tag: str) -> Candidate:
        known = poll.known[tag]
        if known.unusable_for == poll.question.platforms:
            return Candidate(tag, None, known.digest, Loss.METADATA_UNREADABLE)
        return self._candidate(poll, tag, known.digest)

    def _in_pool(self, poll: _Poll, tags: list[str]) -> dict[str, Candidate | None]:
        """Look at many tags at a time; the first failure ends the rest."""
        if len(tags) <= 1:
            return {tag: self._look(poll, tag) for tag in tags}
        pool = ThreadPoolExecutor(min(WORKERS, len(tags)), "registry-inspect")
        try:
            futures: list[Future[Candidate | None]] = [pool.submit(self._look, poll, tag) for tag in tags]
            return {tag: future.result() for tag, future in zip(tags, futures, strict=True)}
        finally:
            pool.shutdown(cancel_futures=True)

    def _look(self, poll: _Poll, tag: str) -> Candidate | None:
        """The candidate for what the tag points to now, None when there is no such tag."""
        question = poll.question
        try:
            digest = self._content.fetch_digest(question.visit, tag, question.deadline, is_new=poll.is_mostly_new)
        except ContentMissing:
            self._memory.remember(poll.key, tag, "", is_missing=True)
            self._log.debug("tag_missing", repository=str(question.visit.remote), tag=tag)
            return None
        except RegistryError as error:
            return self._lost(poll, tag, "", error)
        self._memory.remember(poll.key, tag, digest)
        return self._candidate(poll, tag, digest)

    def _candidate(self, poll: _Poll, tag: str, digest: str) -> Candidate:
        try:
            image = self._images.fetch(poll.question, digest)
        except RegistryError as error:
            return self._lost(poll, tag, digest, error)
        return Candidate(tag, image.created_ns, digest, image.loss)

    def _lost(self, poll: _Poll, tag: str, digest: str, error: RegistryError) -> Candidate:
        if error.code not in CONTENT_CODES:
            raise error
        question = poll.question
        self._memory.remember(poll.key, tag, digest, unusable_for=question.platforms)
        where = str(question.visit.remote)
        self._log.warning("tag_unreadable", repository=where, tag=tag, code=error.code, error=str(error))
        return Candidate(tag, None, digest, Loss.METADATA_UNREADABLE)


def _age_key(candidate: Candidate) -> tuple[int, str]:
    return (candidate.created_ns or 0, candidate.tag)


def _can_be_recalled(poll: _Poll, known: KnownTag) -> bool:
    """Whether a candidate follows from what is known; without a digest only that these platforms have no use for it."""
    return not known.is_missing and (bool(known.digest) or known.unusable_for == poll.question.platforms)
