"""What an image is: its platform and its creation time, put together from index, manifests and configs.

Rules: ``registries.md`` 3.7 and 3.8. The platform of an index's entry is trusted and the entry's config not asked
again; a single image is judged by its config. A date comes from the config, else from the annotation, else from the
history.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

from cachetools import LRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryProtocolError
from updater.model.images import Loss
from updater.ports.log import EventLog
from updater.registry.authorization import Visit
from updater.registry.content import RepositoryContent
from updater.registry.contents import ConfigFacts, IndexEntry, IndexFacts, ManifestFacts
from updater.rules.platforms import PlatformFilter

MAX_DEPTH = 2
"""Indexes within one another."""
MAX_MATCHING = 64
_FUTURE = timedelta(hours=24)
_MAX_WARNED = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one image, by whom and until when."""

    visit: Visit
    platforms: PlatformFilter
    wants_created: bool
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """``loss`` is PLATFORM_MISSING or None."""

    created_ns: int | None = None
    loss: Loss | None = None


_MISSING = ImageFacts(loss=Loss.PLATFORM_MISSING)


class ImageReader:
    """Answers questions about images. Thread-safe."""

    def __init__(self, content: RepositoryContent, clock: Clock, log: EventLog) -> None:
        self._content = content
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._warned: LRUCache[str, bool] = LRUCache(_MAX_WARNED)

    def fetch(self, question: Question, digest: str) -> ImageFacts:
        """The facts of the image or index of a digest; raises ``RegistryError``."""
        facts = self._content.fetch_manifest(question.visit, digest, question.deadline)
        if isinstance(facts, IndexFacts):
            image = self._of_index(question, facts, depth=1)
        else:
            image = self._of_single(question, facts)
        if question.wants_created and image.loss is None:
            self._remark(question, digest, image.created_ns)
        return image

    def _of_single(self, question: Question, manifest: ManifestFacts) -> ImageFacts:
        if not question.wants_created and not question.platforms.is_restricted:
            return ImageFacts()
        config = self._content.fetch_config(question.visit, manifest, question.deadline)
        if not question.platforms.accepts(config.platform):
            return _MISSING
        return ImageFacts(_created_ns(manifest, config) if question.wants_created else None)

    def _of_index(self, question: Question, index: IndexFacts, *, depth: int) -> ImageFacts:
        matching = [entry for entry in index.entries if _may_fit(question.platforms, entry)]
        if len(matching) > MAX_MATCHING:
            raise _bad_index(question, f"more than {MAX_MATCHING} of its entries fit the platforms")
        images = [self._of_entry(question, entry, depth) for entry in matching]
        fitting = [image for image in images if image.loss is None]
        if not fitting:
            return _MISSING
        dates = [image.created_ns for image in fitting if image.created_ns is not None]
        return ImageFacts(max(dates, default=index.created_ns) if question.wants_created else None)

    def _of_entry(self, question: Question, entry: IndexEntry, depth: int) -> ImageFacts:
        if not entry.is_index and not question.wants_created:
            return ImageFacts()
        facts = self._content.fetch_manifest(question.visit, entry.digest, question.deadline)
        if entry.is_index is not isinstance(facts, IndexFacts):
            raise _bad_index(question, "an entry is not of the kind that its descriptor says")
        if isinstance(facts, ManifestFacts):
            config = self._content.fetch_config(question.visit, facts, question.deadline)
            return ImageFacts(_created_ns(facts, config))
        if depth >= MAX_DEPTH:
            raise _bad_index(question, f"indexes are nested deeper than {MAX_DEPTH}")
        return self._of_index(question, facts, depth=depth + 1)

    def _remark(self, question: Question, digest: str, created_ns: int | None) -> None:
        """Say once per digest that a date is missing or lies ahead: the order is kept, but may surprise."""
        limit_ns = (self._clock.now() + _FUTURE).timestamp() * 1e9
        if created_ns is not None and created_ns <= limit_ns:
            return
        with self._lock:
            is_known = digest in self._warned
            self._warned[digest] = True
        if not is_known:
            event = "creation_time_missing" if created_ns is None else "creation_time_in_future"
            self._log.warning(event, repository=str(question.visit.remote), digest=digest)


def _created_ns(manifest: ManifestFacts, config: ConfigFacts) -> int | None:
    dates = (config.created_ns, manifest.created_ns, config.history_ns)
    return next((date for date in dates if date is not None), None)


def _may_fit(platforms: PlatformFilter, entry: IndexEntry) -> bool:
    """An index without a platform of its own has to be looked into."""
    return platforms.accepts(entry.platform) or (entry.is_index and entry.platform is None)


def _bad_index(question: Question, what: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the index is not valid: {what}", where=str(question.visit.remote), code="bad_manifest"
    )
