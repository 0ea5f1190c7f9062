"""Long-lived bare mirrors, one per remote and credential reference (``write-back.md`` 3.2).

A mirror is only a store of objects that makes the next fetch small; nothing is lost with it. So what is damaged or has
grown too large is removed and fetched again. Several writers may use one mirror at a time: writing objects is safe in
git, and what changes refs (fetches) takes the mirror's lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from updater.clock import Deadline
from updater.errors import GitError
from updater.git.objects import ObjectAccess, ObjectStore
from updater.git.workplaces import disk_failed, make_folder, sweep_leftovers
from updater.ports.log import EventLog

MAX_PACKS = 60
MAX_LOOSE_SAMPLE = 27
"""In one of the 256 folders of loose objects: some 7,000 in all, as git's own tidying has it."""
_STALE = ("*.lock", "refs/**/*.lock", "objects/tmp_obj_*", "objects/obj*", "objects/??/tmp_obj_*", "objects/pack/tmp_*")


@dataclass(slots=True)
class Mirror:
    """One bare repository. ``lock`` is held while refs change; ``users`` belongs to the ``MirrorStore``.

    ``is_littered`` says that a command failed and may have left unfinished files, which keep a full disk full. They go
    when the last user leaves: before that they could be somebody's work. ``is_filtered`` false: the remote was seen to
    send more than a fetch wanted, because it knows no filters.
    """

    folder: Path
    access: ObjectAccess
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    used_at_s: float = 0.0
    bytes_on_disk: int = 0
    is_littered: bool = False
    is_filtered: bool = True

    @contextmanager
    def changing(self, deadline: Deadline) -> Iterator[None]:
        """Hold the lock; raises ``GitError`` ``timeout`` when another writer does not let go of it in time."""
        if not self.lock.acquire(timeout=deadline.remaining_s()):
            raise GitError("another fetch of the same mirror did not end in time", code="timeout", retryable=True)
        try:
            yield
        finally:
            self.lock.release()

    def objects(self) -> ObjectStore:
        """The objects that it holds now."""
        return ObjectStore(self.folder, self.access)

    def prepare(self) -> None:
        """Make the repository if it is not there; caller holds the lock. Raises ``GitError`` ``disk_failed``."""
        if (self.folder / "HEAD").exists():
            return
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
                (self.folder / part).mkdir(parents=True, mode=0o700)
            (self.folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            (self.folder / "HEAD").write_text("ref: refs/heads/none\n")
        except OSError as error:
            raise disk_failed(self.folder, error) from error

    def discard(self) -> None:
        """Forget everything; caller holds the lock."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_stale(self) -> None:
        """Remove locks and unfinished files of what was killed or failed; caller knows that nobody else writes."""
        for pattern in _STALE:
            for path in self.folder.glob(pattern):
                with suppress(OSError):
                    path.unlink()

    def has_unfinished(self, least_bytes: int) -> bool:
        """Whether a fetch left an unfinished file of this size or more: git that dies of a limit cannot remove it."""
        objects = self.folder / "objects"
        found = (*objects.glob("pack/tmp_pack_*"), *objects.glob("??/tmp_obj_*"))
        return any(_length_of(path) >= least_bytes for path in found)

    @property
    def needs_tidying(self) -> bool:
        """Whether it holds more packs or loose objects than are quick to search."""
        objects = self.folder / "objects"
        packs = sum(1 for _ in (objects / "pack").glob("*.pack"))
        return packs > MAX_PACKS or sum(1 for _ in objects.glob("17/*")) > MAX_LOOSE_SAMPLE


class MirrorStore:
    """All mirrors of this process. Thread-safe; ``close`` once, when no mirror is in use any more.

    A configured folder belongs to one process at a time, which a file lock sees to; a second process works in a
    private folder. The lock ends with the process, however that ends.
    """

    def __init__(self, folder: Path | None, max_bytes: int, log: EventLog) -> None:
        self._log = log
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._access = ObjectAccess()
        self._mirrors: dict[str, Mirror] = {}
        self._ticks = 0
        sweep_leftovers()
        self._owned = _own(folder) if folder is not None else None
        self._is_private = self._owned is None
        if folder is not None and self._is_private:
            log.warning("git_cache_in_use", folder=str(folder))
        self._folder = folder if folder is not None and not self._is_private else make_folder(None)

    @property
    def folder(self) -> Path:
        return self._folder

    @contextmanager
    def use(self, place: str, credentials: str) -> Iterator[Mirror]:
        """The mirror of a remote under a credential reference, for the time of a batch."""
        mirror = self._enter(f"{place}\0{credentials}")
        try:
            yield mirror
        finally:
            self._leave(mirror)

    def close(self) -> None:
        """Remove private mirrors, give a configured folder back."""
        if self._is_private:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._owned is not None:
            os.close(self._owned)
            self._owned = None

    def _enter(self, name: str) -> Mirror:
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:40]
        with self._lock:
            mirror = self._mirrors.get(digest)
            if mirror is None:
                mirror = self._mirrors[digest] = Mirror(self._folder / f"{digest}.git", self._access)
                mirror.remove_stale()
            mirror.users += 1
            self._ticks += 1
            mirror.used_at_s = self._ticks
            return mirror

    def _leave(self, mirror: Mirror) -> None:
        size = _size_of(mirror.folder)
        with self._lock:
            mirror.users -= 1
            mirror.bytes_on_disk = size
            if mirror.is_littered and mirror.users == 0:
                mirror.remove_stale()
                mirror.is_littered = False
            for each in self._surplus():
                del self._mirrors[each.folder.stem]
                each.discard()

    def _surplus(self) -> list[Mirror]:
        """Unused mirrors to remove, the longest unused first."""
        total = sum(mirror.bytes_on_disk for mirror in self._mirrors.values())
        surplus = []
        for mirror in sorted(self._mirrors.values(), key=lambda each: each.used_at_s):
            if total > self._max_bytes and mirror.users == 0:
                surplus.append(mirror)
                total -= mirror.bytes_on_disk
        return surplus


def _own(folder: Path) -> int | None:
    """Lock the folder for this process: the open lock file, None when another process has it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise disk_failed(folder, error) from error
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return None
    return number


def _size_of(folder: Path) -> int:
    """Bytes of the packs; loose objects are few, or the mirror is tidied."""
    total = 0
    for path in folder.glob("objects/pack/*.pack"):
        total += _length_of(path)
    return total


def _length_of(path: Path) -> int:
    """Bytes of a file; 0 when it is gone, because others write here as well."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
