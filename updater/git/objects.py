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
from typing import Any

# gitdb has no type hints and no stubs; nothing of it leaves this module.
import gitdb  # type: ignore[import-untyped]
from gitdb.db.pack import PackedDB  # type: ignore[import-untyped]
from gitdb.exc import BadObject, ODBError  # type: ignore[import-untyped]
from gitdb.fun import OFS_DELTA, REF_DELTA, msb_size  # type: ignore[import-untyped]
from gitdb.util import mman  # type: ignore[import-untyped]

from updater.errors import GitError
from updater.git.workplaces import disk_failed

MAX_DELTA_BYTES = 64 * 1024 * 1024
"""Of what one link in a chain of deltas takes or gives; the largest object that is read is a tree of this size."""
MAX_CHAIN_BYTES = 1024 * 1024 * 1024
"""Of all of them together: git itself makes chains of fifty, and values files have ten megabytes at most."""
_DELTA_HEAD_BYTES = 512
"""What gitdb reads as well: shorter reads may find nothing behind the head of the compressed stream."""
_LEVEL = 1
"""Of compression: these objects live until the push, which packs them anew."""
_MODE = 0o444
_BROKEN = (
    ODBError,
    zlib.error,
    struct.error,
    AssertionError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    RecursionError,
)
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
            self._check_chain(object_id)
            try:
                stream = self._database.stream(unhexlify(object_id))
            except BadObject as error:
                raise ObjectsMissing((object_id,)) from error
            try:
                return _content(stream, object_id, kind, max_bytes)
            finally:
                del stream  # an error keeps this frame alive, and with a stream in it no pack can be closed

    def _check_chain(self, object_id: str) -> None:
        """Refuse what takes much room or time to unpack: gitdb applies all deltas before it tells the size.

        A pack of a few kilobytes may stand for gigabytes, and packs come from servers that owners choose.
        """
        name, total = unhexlify(object_id), 0
        for size in next((_chain(entity, name) for entity in self._packs() if _holds(entity, name)), ()):
            total += size
            if size > MAX_DELTA_BYTES or total > MAX_CHAIN_BYTES:
                raise GitError(f"object {object_id} unpacks to {total} bytes or more", code="object_too_large")

    def _packs(self) -> Iterator[Any]:
        for part in self._database.databases():
            if isinstance(part, PackedDB):
                yield from part.entities()

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
                cause = error.with_traceback(None)  # its frames hold streams
                raise GitError(
                    "the mirror is damaged", where=str(self._folder), code="mirror_damaged", retryable=True
                ) from cause


def _content(stream: Any, object_id: str, kind: str, max_bytes: int) -> bytes:
    try:
        if stream.size > max_bytes:
            raise GitError(f"object {object_id} has {stream.size} bytes", code="object_too_large")
        if stream.type != kind.encode():
            raise GitError(f"object {object_id} is no {kind}", code="mirror_damaged", retryable=True)
        content: bytes = stream.read()
        if len(content) != stream.size:
            raise ValueError("the object is shorter than it says")
        return content
    finally:
        del stream


def _holds(entity: Any, name: bytes) -> bool:
    return entity.index().sha_to_index(name) is not None


def _chain(entity: Any, name: bytes) -> Iterator[int]:
    """Bytes of each delta and of what it is made from or into, none for an object that is stored as a whole.

    Raises ``ValueError`` for a delta by distance behind one by name: gitdb would read it at a wrong place.
    """
    index, pack = entity.index(), entity.pack()
    offset, by_name = index.offset(index.sha_to_index(name)), False
    link = pack.stream(offset)
    if link.type_id not in (OFS_DELTA, REF_DELTA):
        return
    while link.type_id in (OFS_DELTA, REF_DELTA):
        yield link.size
        yield _sizes(link.stream.read(_DELTA_HEAD_BYTES))
        if link.type_id == OFS_DELTA and by_name:
            raise ValueError("a delta by distance behind one by name")
        by_name = link.type_id == REF_DELTA
        offset = index.offset(index.sha_to_index(bytes(link.delta_info))) if by_name else offset - link.delta_info
        link = pack.stream(offset)
    yield link.size


def _sizes(head: bytes) -> int:
    place, source = msb_size(head)
    return int(max(source, msb_size(head, place)[1]))


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
