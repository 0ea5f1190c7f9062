"""Objects of one bare repository, read and written in this process with GitPython's object database.

No child process per object, and above all no hidden traffic: git itself would fetch a missing object of a partial
mirror on its own, one connection per object and past every deadline. Here a missing object is an answer.

The database maps packs into memory through one manager per process that is not safe for threads, so all access goes
through the one lock of the ``ObjectAccess`` that the mirrors share.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import threading
import zlib
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# gitdb has no type hints and no stubs; nothing of it leaves this module.
import gitdb  # type: ignore[import-untyped]
from gitdb.db.pack import PackedDB  # type: ignore[import-untyped]
from gitdb.exc import BadObject, ODBError  # type: ignore[import-untyped]
from gitdb.util import mman  # type: ignore[import-untyped]

from updater.errors import GitError
from updater.git.workplaces import disk_failed

_LEVEL = 1
"""Of compression: these objects live until the push, which packs them anew."""
_MODE = 0o444
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
            whole = b"%s %d\0%s" % (kind.encode(), len(content), content)
            object_id = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
            if not self._database.has_object(unhexlify(object_id)):
                _put(self._folder / "objects" / object_id[:2] / object_id[2:], zlib.compress(whole, _LEVEL))
            return object_id

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
                raise disk_failed(self._folder, error) from error
            except _BROKEN as error:
                raise GitError(
                    "the mirror is damaged", where=str(self._folder), code="mirror_damaged", retryable=True
                ) from error


def _put(path: Path, content: bytes) -> None:
    """A file that is there as a whole or not at all.

    Not gitdb's own way, which forgets to close its file when the disk is full: the descriptor and the room of the
    deleted file were lost until the end of the process.
    """
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="tmp_obj_", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _MODE)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
