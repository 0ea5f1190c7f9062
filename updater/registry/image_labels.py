"""The labels of one image: from a tag or digest over its manifest to its config.

Rules: ``registries.md`` 3.7 and 3.8. Of an index one image speaks for all, because labels say where an image comes
from: the first that fits the platforms, in the order in which the owner wrote these; without platforms, as with the
strategies that do not look at them, the first of the index. Upstream takes the newest, at the price of every config.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.clock import Deadline
from updater.errors import RegistryProtocolError
from updater.model.images import ImageLabels
from updater.model.references import ImageReference
from updater.registry.authorization import Visit
from updater.registry.content import RepositoryContent
from updater.registry.contents import IndexEntry, IndexFacts, ManifestFacts
from updater.registry.flights import SingleFlight
from updater.registry.image_facts import MAX_DEPTH, MAX_MATCHING
from updater.registry.measures import RegistryMeasures
from updater.registry.polls import PollKey
from updater.registry.tag_memory import TagMemory
from updater.rules.platforms import parse_platform_filter


class LabelReader:
    """Thread-safe; callers who want the same at the same time share one request for each step."""

    def __init__(self, content: RepositoryContent, tags: TagMemory, measures: RegistryMeasures) -> None:
        self._content = content
        self._tags = tags
        self._flights: SingleFlight[ImageLabels] = SingleFlight("labels", measures)

    def fetch(
        self, visit: Visit, key: PollKey, image: ImageReference, platforms: Sequence[str], deadline: Deadline
    ) -> ImageLabels:
        """The labels of the image; raises ``RegistryError``."""

        def read() -> ImageLabels:
            digest = image.digest or self._digest(visit, key, image.tag, deadline)
            facts = self._content.fetch_manifest(visit, digest, deadline)
            manifest = facts if isinstance(facts, ManifestFacts) else self._chosen(visit, facts, platforms, deadline)
            return self._content.fetch_labels(visit, manifest, deadline)

        return self._flights.fetch((key, image.tag, image.digest, tuple(platforms)), deadline, read)

    def _digest(self, visit: Visit, key: PollKey, tag: str, deadline: Deadline) -> str:
        """What the tag points to; as long as a list is shared, what somebody has seen serves."""
        known = self._tags.recall(key, [tag]).get(tag)
        if known is not None and known.digest and not self._tags.is_old(key, known):
            return known.digest
        digest = self._content.fetch_digest(visit, tag, deadline, is_new=known is None)
        self._tags.remember(key, tag, digest)
        return digest

    def _chosen(self, visit: Visit, index: IndexFacts, platforms: Sequence[str], deadline: Deadline) -> ManifestFacts:
        found = self._first(visit, index, platforms, deadline, depth=1)
        if found is None:
            wanted = f"for {', '.join(platforms)[:100]}" if platforms else "to run"
            raise RegistryProtocolError(
                f"the index has no image {wanted}", where=str(visit.remote), code="platform_missing"
            )
        return found

    def _first(
        self, visit: Visit, index: IndexFacts, platforms: Sequence[str], deadline: Deadline, *, depth: int
    ) -> ManifestFacts | None:
        """The first image that fits, also of an index within the index."""
        for entry in list(_in_order(index, platforms))[:MAX_MATCHING]:
            facts = self._content.fetch_manifest(visit, entry.digest, deadline)
            if isinstance(facts, ManifestFacts):
                return facts
            found = self._first(visit, facts, platforms, deadline, depth=depth + 1) if depth < MAX_DEPTH else None
            if found is not None:
                return found
        return None


def _in_order(index: IndexFacts, platforms: Sequence[str]) -> Iterator[IndexEntry]:
    """Entries that may fit, each once: by platform as written, then indexes that have to be looked into."""
    filters = [parse_platform_filter([platform]) for platform in platforms] or [parse_platform_filter(())]
    fitting = (entry for wanted in filters for entry in index.entries if wanted.accepts(entry.platform))
    unnamed = (entry for entry in index.entries if entry.is_index and entry.platform is None)
    yield from dict.fromkeys((*fitting, *unnamed))
