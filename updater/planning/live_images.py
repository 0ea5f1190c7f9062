"""Configured images versus running images (``images-and-strategies.md`` 3.1 to 3.4).

An entry is live when a running reference has its registry and its name, both as normalised; tags play no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from updater.errors import PlanError
from updater.model.references import ImageReference, ImageRepository, canonical_name
from updater.planning.image_list import ImageEntry, parse_entry
from updater.planning.memory import PlanMemory


@dataclass(frozen=True, slots=True)
class LiveImages:
    """The running references of one Application in the order of its status; texts that name no image are left out."""

    references: tuple[ImageReference, ...] = ()

    def find(self, repository: ImageRepository, original_name: str = "") -> int | None:
        """Index of the reference an entry refers to.

        ``original_name`` is ``kustomize.image-name``: it is looked up first, then the entry's own repository.
        """
        original = _repository_of(original_name) if original_name else None
        found = None if original is None else self._index_of(original)
        return self._index_of(repository) if found is None else found

    def _index_of(self, repository: ImageRepository) -> int | None:
        for index, reference in enumerate(self.references):
            if reference.repository == repository:
                return index
        return None

    def running_like(self, index: int) -> tuple[ImageReference, ...]:
        """All references with the registry and name of the one at ``index``."""
        repository = self.references[index].repository
        return tuple(reference for reference in self.references if reference.repository == repository)

    def near_miss(self, repository: ImageRepository) -> ImageReference | None:
        """A running reference that differs only in how it spells Docker Hub: what an owner most likely meant."""
        wanted = canonical_name(repository.full_name)
        same = (found for found in self.references if canonical_name(found.repository.full_name) == wanted)
        return next(same, None)


def read_live_images(texts: Iterable[str], memory: PlanMemory | None = None) -> LiveImages:
    """Parse the live list; a text that is no reference can match no entry."""
    memory = memory or PlanMemory()
    parsed = (memory.reference(text) for text in texts)
    return LiveImages(tuple(reference for reference in parsed if reference is not None))


def with_forced(live: LiveImages, entries: Iterable[tuple[ImageEntry, bool]]) -> LiveImages:
    """The live list after force-update: forced entries that do not run are appended without a tag."""
    references = list(live.references)
    for entry, is_forced in entries:
        if is_forced and all(reference.repository != entry.repository for reference in references):
            references.append(ImageReference(entry.repository))
    return LiveImages(tuple(references))


def assign_aliases(live: LiveImages, entries: Sequence[ImageEntry]) -> tuple[tuple[str, ImageReference], ...]:
    """One record for every configured entry that is live: alias, or the name without registry, and the reference."""
    records: list[tuple[str, ImageReference]] = []
    for entry in entries:
        index = live.find(entry.repository)
        if index is not None:
            records.append((entry.alias or entry.repository.name, live.references[index]))
    return tuple(records)


def _repository_of(text: str) -> ImageRepository | None:
    """The repository that ``kustomize.image-name`` names; manifests may hold any placeholder, which never runs."""
    try:
        return parse_entry(text).repository
    except PlanError:
        return None
