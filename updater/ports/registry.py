"""What selection needs from a registry."""

from __future__ import annotations

from typing import Protocol

from updater.clock import Deadline
from updater.model.images import TagList
from updater.model.references import ImageRepository


class TagSource(Protocol):
    """Lists tags."""

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        """The complete list or an error, never a part.

        ``pull_secret`` is the owner's credential reference, empty for the registry's own. Raises ``RegistryError``,
        or ``CredentialError`` when credentials cannot be had.
        """
