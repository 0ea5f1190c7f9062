"""Image references: the grammar of registries' names, and their canonical form beside the text that was written.

Source of the rules: ``images-and-strategies.md`` 2.3 (the distribution reference grammar and Argo CD's use of it).
A repository is not an image, a tag is a pointer, a digest names content.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ImageRepository:
    """Where images live: ``registry`` as written, empty for Docker Hub, and the path ``name`` on it."""

    registry: str
    name: str

    @property
    def full_name(self) -> str:
        """``registry/name``; just ``name`` when the registry is implicit or already its first part."""
        if not self.registry or self.name.startswith(f"{self.registry}/"):
            return self.name
        return f"{self.registry}/{self.name}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image: repository, tag and digest (empty when unknown), and the text it was parsed from."""

    repository: ImageRepository
    tag: str = ""
    digest: str = ""
    original: str = ""

    @property
    def full_reference(self) -> str:
        """``registry/name[:tag][@digest]``."""
        text = self.repository.full_name
        text = f"{text}:{self.tag}" if self.tag else text
        return f"{text}@{self.digest}" if self.digest else text

    @property
    def tag_with_digest(self) -> str:
        """What a Helm tag parameter holds; ``latest`` stands in for an unknown tag beside a digest."""
        if not self.digest:
            return self.tag
        return f"{self.tag or 'latest'}@{self.digest}"
