"""What is remembered of content that a digest names: facts that never change, a few hundred bytes each.

An index names manifests, a manifest names its config, the config says for what and when the image was built. They are
kept apart, each under its own digest, so that several tags and indexes share what they have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.rules.platforms import Platform


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One image or nested index of an index; ``platform`` is None when the descriptor names none."""

    digest: str
    platform: Platform | None = None
    is_index: bool = False


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index or manifest list, attestations left out. ``created_ns`` is its annotation."""

    entries: tuple[IndexEntry, ...]
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """An image manifest; ``created_ns`` is its annotation."""

    config_digest: str
    config_size_bytes: int
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """An image's config. ``history_ns`` is the newest of its history, for images without a date of their own."""

    platform: Platform | None = None
    created_ns: int | None = None
    history_ns: int | None = None


Facts = IndexFacts | ManifestFacts | ConfigFacts
