"""Objects of one bare repository, read and written in this process with GitPython's object database.

No child process per object, and above all no hidden traffic: git itself would fetch a missing object of a partial
mirror on its own, one connection per object and past every deadline. Here a missing object is an answer.

The database maps packs into memory through one manager per process that is not safe for threads, so all access goes
through the one lock of the ``ObjectAccess`` that the mirrors share.
"""

from __future__ import annotations

import struct
import threading
import zlib
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

# gitdb has no type hints and no stubs; nothing of it leaves this module.
import gitdb  # type: ignore[import-untyped]
from gitdb.db.pack import PackedDB  # type: ignore[import-untyped]
from gitdb.exc import BadObject, ODBError  # type: ignore[import-untyped]
from gitdb.util import mman  # type: ignore[import-untyped]

from updater.errors import GitError
from updater.transport.redaction import cap_text

_BROKEN = (ODBError, zlib.error, struct.error, AssertionError, ValueError, IndexError, KeyError, TypeError)
"""gitdb believes what it reads, and meets damage as whatever goes wrong first."""


class ObjectsMissing(Exception):
    """Objects that this repository does not hold (yet)."""

    def __init__(self, object_ids: Iterable[str]) -> None:
        self.object_ids = tuple(object_ids)
        super().__init__(f"{len(self.object_ids)} objects are missing")


@dataclass(slots=True)
class ObjectAccess:
    """The lock around gitdb's memory manager; one per process that uses mirrors."""

    lock: threading.Lock = field(default_factory=threading.Lock)


class ObjectStore:
    """Reads and writes objects below one folder. Sees the packs that exist when it is made; thread-safe."""

    def __init__(self, folder: Path, access: ObjectAccess) -> None:
        self._access = access
        self._folder = folder
        with access.lock:
            self._database = gitdb.GitDB(str(folder / "objects"))

    def read(self, object_id: str, kind: str, max_bytes: int) -> bytes:
        """The content; raises ``ObjectsMissing``, and ``GitError`` (``object_too_large``, ``mirror_damaged``)."""
        with self._guarded():
            try:
                stream = self._database.stream(unhexlify(object_id))
            except BadObject as error:
                raise ObjectsMissing((object_id,)) from error
            if stream.size > max_bytes:
                raise GitError(f"object {object_id} has {stream.size} bytes", code="object_too_large")
            if stream.type != kind.encode():
                raise GitError(f"object {object_id} is no {kind}", code="mirror_damaged", retryable=True)
            content: bytes = stream.read()
            return content

    def missing(self, object_ids: Iterable[str]) -> tuple[str, ...]:
        """Those that the repository does not hold."""
        with self._guarded():
            return tuple(each for each in object_ids if not self._database.has_object(unhexlify(each)))

    def write(self, kind: str, content: bytes) -> str:
        """Store an object, return its id; raises ``GitError`` ``disk_failed`` when the disk does not take it."""
        with self._guarded():
            stored = self._database.store(gitdb.IStream(kind.encode(), len(content), BytesIO(content)))
            return hexlify(stored.binsha).decode()

    def close(self) -> None:
        """Let go of mapped packs, and give their descriptors back at once. May be called again.

        Packs and their indexes refer to themselves, so that without this the collector would decide when.
        """
        with self._access.lock:
            database, self._database = self._database, None
            if database is None:
                return
            packed = (part for part in database.databases() if isinstance(part, PackedDB))
            for _, entity, _ in (row for part in packed for row in vars(part).get("_entities", ())):
                entity.index().close()
                entity.pack().close()
            mman.collect()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._access.lock:
            try:
                yield
            except OSError as error:
                raise GitError(
                    f"the mirror's objects cannot be used: {cap_text(error.strerror or str(error))}",
                    where=str(self._folder),
                    hint="see that the disk is neither full nor read-only",
                    code="disk_failed",
                    retryable=True,
                ) from error
            except _BROKEN as error:
                raise GitError(
                    "the mirror is damaged", where=str(self._folder), code="mirror_damaged", retryable=True
                ) from error
