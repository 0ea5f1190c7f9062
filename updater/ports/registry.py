"""What selection needs from a registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from updater.clock import Deadline
from updater.model.images import Candidate, ImageLabels, Inspection, TagList
from updater.model.references import ImageReference, ImageRepository


class TagSource(Protocol):
    """Lists tags."""

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        """The complete list or an error, never a part.

        ``pull_secret`` is the owner's credential reference, empty for the registry's own. Raises ``RegistryError``,
        or ``CredentialError`` when credentials cannot be had.
        """


class TagInspector(Protocol):
    """Finds out what tags point to."""

    def fetch_candidates(
        self,
        repository: ImageRepository,
        tags: Sequence[str],
        inspection: Inspection,
        deadline: Deadline,
        *,
        pull_secret: str = "",
    ) -> tuple[Candidate, ...]:
        """One candidate per tag that the registry has, in the order of ``tags``.

        A tag that the registry does not have (404) is left out: with the digest strategy an empty result means that
        there is nothing to follow. A candidate has its digest, and its creation time when that is wanted and known;
        or it has the loss PLATFORM_MISSING or METADATA_UNREADABLE, both for good. Where the registry's order of tags
        stands for time, ``created_ns`` counts positions and there is no digest.

        Raises ``RegistryError`` when anything about a tag could not be found out now: choosing among the rest could
        choose an older image. Raises ``CredentialError`` when credentials cannot be had.
        """


class LabelSource(Protocol):
    """Reads the labels of images."""

    def fetch_labels(
        self, image: ImageReference, platforms: Sequence[str], deadline: Deadline, *, pull_secret: str = ""
    ) -> ImageLabels:
        """The labels of one image, by its digest if it has one, else by its tag; empty when it has none.

        Of an index those of the first image that fits ``platforms``, in the order in which these are written; without
        platforms those of its first image. Raises ``RegistryError`` when they cannot be told, ``CredentialError`` when
        credentials cannot be had.
        """
