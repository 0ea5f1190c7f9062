"""Facts by digest: in memory, bounded, and on disk where that is wanted.

Whoever asks must just have obtained the digest from the registry under its own credentials, so this is no way to learn
of others' images (``registries.md`` 6.4).
"""

from __future__ import annotations

import threading

from cachetools import LRUCache

from updater.registry.contents import Facts
from updater.registry.object_disk import ObjectDisk

MAX_OBJECTS = 200_000
"""About 100 MB."""


class ObjectMemory:
    """Thread-safe. ``disk`` is closed by ``close``."""

    def __init__(self, disk: ObjectDisk | None = None) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._objects: LRUCache[str, Facts] = LRUCache(MAX_OBJECTS)

    def recall(self, digest: str) -> Facts | None:
        """The facts, None when they are not known."""
        with self._lock:
            facts = self._objects.get(digest)
        if facts is None and self._disk is not None:
            facts = self._disk.recall(digest)
            if facts is not None:
                self._keep(digest, facts)
        return facts

    def remember(self, digest: str, facts: Facts) -> None:
        """Keep facts whose content was checked against the digest."""
        self._keep(digest, facts)
        if self._disk is not None:
            self._disk.remember(digest, facts)

    def knows_repository(self, name: str) -> bool:
        """Whether facts of a repository may have outlived a restart."""
        return self._disk is not None and self._disk.knows_repository(name)

    def note_repository(self, name: str) -> None:
        """A repository was looked through."""
        if self._disk is not None:
            self._disk.note_repository(name)

    def flush(self) -> None:
        """Write what waits."""
        if self._disk is not None:
            self._disk.flush()

    def close(self) -> None:
        """Write what waits. Idempotent."""
        if self._disk is not None:
            self._disk.close()

    def _keep(self, digest: str, facts: Facts) -> None:
        with self._lock:
            self._objects[digest] = facts
