"""Labels by the digest of the config that holds them: only of images that were asked about, and bounded by size.

Kept apart from ``ObjectMemory``, which knows thousands of images that nobody ever changes to. Whoever asks must just
have obtained the digest from the registry under its own credentials (``registries.md`` 6.4).
"""

from __future__ import annotations

import threading

from cachetools import LRUCache

from updater.model.images import ImageLabels

MAX_CHARACTERS = 8_000_000
"""In all, at most 32 MB; that of an image with twenty labels is some 1,500."""
_OVERHEAD = 200
"""Characters that an entry counts for beside its texts, so that images without labels count too."""


class LabelMemory:
    """Thread-safe."""

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        self._lock = threading.Lock()
        self._labels: LRUCache[str, ImageLabels] = LRUCache(max_characters, getsizeof=_weight)

    def recall(self, digest: str) -> ImageLabels | None:
        """The labels, None when they are not known."""
        with self._lock:
            return self._labels.get(digest)

    def remember(self, digest: str, labels: ImageLabels) -> None:
        """Keep labels out of content that was checked against the digest."""
        with self._lock:
            self._labels[digest] = labels


def _weight(labels: ImageLabels) -> int:
    return _OVERHEAD + sum(len(key) + len(value) for key, value in labels)
