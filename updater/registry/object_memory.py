"""Facts by digest: in memory, bounded, and on disk where that is wanted.

Whoever asks must just have obtained the digest from the registry under its own credentials, so this is no way to learn
of others' images (``registries.md`` 6.4).
"""

from __future__ import annotations

import threading

from cachetools import LRUCache

from updater.registry.contents import Facts

MAX_OBJECTS = 200_000
"""About 100 MB."""


class ObjectMemory:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: LRUCache[str, Facts] = LRUCache(MAX_OBJECTS)

    def recall(self, digest: str) -> Facts | None:
        """The facts, None when they are not known."""
        with self._lock:
            return self._objects.get(digest)

    def remember(self, digest: str, facts: Facts) -> None:
        """Keep facts whose content was checked against the digest."""
        with self._lock:
            self._objects[digest] = facts
