"""Labels by the digest of the config that holds them: only of images that were asked about, and bounded by size.

Kept apart from ``ObjectMemory``, which knows thousands of images that nobody ever changes to. Whoever asks must just
have obtained the digest from the registry under its own credentials (``registries.md`` 6.4).
"""

from __future__ import annotations

import sys
import threading

from cachetools import LRUCache

from updater.model.images import ImageLabels

MAX_BYTES = 32_000_000
"""In all; the labels of an image with twenty of them take some 4,500."""
_ENTRY_BYTES = 300
"""For the digest and the place of an image, so that images without labels count too."""
_LABEL_BYTES = 64
"""For the pair beside its two texts."""


class LabelMemory:
    """Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._labels: LRUCache[str, ImageLabels] = LRUCache(max_bytes, getsizeof=_weight)

    def recall(self, digest: str) -> ImageLabels | None:
        """The labels, None when they are not known."""
        with self._lock:
            return self._labels.get(digest)

    def remember(self, digest: str, labels: ImageLabels) -> None:
        """Keep labels out of content that was checked against the digest."""
        with self._lock:
            self._labels[digest] = labels


def _weight(labels: ImageLabels) -> int:
    return _ENTRY_BYTES + sum(_LABEL_BYTES + sys.getsizeof(key) + sys.getsizeof(value) for key, value in labels)
