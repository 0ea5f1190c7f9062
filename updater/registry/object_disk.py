"""Facts by digest in an SQLite file, so that a restart does not read every image again (``registries.md`` 6.4).

What a digest names never changes, so rows never grow old; the least recently used go when there are too many. A cache
must not stop the program: a file that cannot be opened leaves facts in memory, one that is broken is set aside.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from updater.clock import Clock
from updater.ports.log import EventLog
from updater.registry.contents import Facts
from updater.registry.digests import digest_of
from updater.registry.object_rows import FORMAT, parse_row, render_row

FILE_NAME = "registry-objects.sqlite3"
MAX_ROWS = 1_000_000
"""A few hundred megabytes."""
BATCH = 500
"""Rows that wait to be written together."""
_LOCK_WAIT_S = 1.0
_SILENCE_S = 60.0
"""Between two records of one complaint: a full disk is found anew by every write."""
_SHARE_DROPPED = 10
"""When there are too many rows, one in so many goes at once."""
_DAY_S = 86_400

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS objects (digest TEXT PRIMARY KEY, facts TEXT, day INTEGER) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS repositories (name TEXT PRIMARY KEY) WITHOUT ROWID",
    f"PRAGMA user_version = {FORMAT}",
)

T = TypeVar("T")


class ObjectDisk:
    """Thread-safe: its lock guards the file, and nothing else is called while it is held."""

    def __init__(self, folder: str, clock: Clock, log: EventLog, *, max_rows: int = MAX_ROWS) -> None:
        self._path = Path(folder) / FILE_NAME
        self._clock = clock
        self._log = log
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        self._touched: set[str] = set()
        self._repositories: set[str] = set()
        self._file: sqlite3.Connection | None = None
        self._complaint = ""
        self._said = ""
        self._said_at_s = 0.0
        with self._lock:
            self._open()
        self._complain()

    def recall(self, digest: str) -> Facts | None:
        """The facts of a digest, None when they are not known."""
        with self._lock:
            pending = self._pending.get(digest)
            row = (pending, self._today()) if pending else self._guarded(lambda file: _find(file, digest))
            if row is not None and row[1] != self._today():
                self._touched.add(digest)
        self._complain()
        return parse_row(row[0]) if row is not None else None

    def remember(self, digest: str, facts: Facts) -> None:
        """Keep facts; they are written with others, at the latest by ``flush``."""
        with self._lock:
            if self._file is not None:
                self._pending[digest] = render_row(facts)
            is_full = len(self._pending) >= BATCH
        if is_full:
            self.flush()

    def knows_repository(self, name: str) -> bool:
        """Whether facts of this repository were ever kept: its tags may point to content that is known."""
        key = digest_of(name.encode())
        with self._lock:
            known = key in self._repositories or self._guarded(lambda file: _has_repository(file, key))
            if known:
                self._repositories.add(key)
        self._complain()
        return bool(known)

    def note_repository(self, name: str) -> None:
        """Facts of this repository are kept from now on."""
        key = digest_of(name.encode())
        with self._lock:
            if key not in self._repositories and self._file is not None:
                self._repositories.add(key)
                self._guarded(lambda file: _put_repository(file, key))
        self._complain()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            pending, self._pending = self._pending, {}
            touched, self._touched = self._touched, set()
            if pending or touched:
                self._guarded(lambda file: self._write(file, pending, touched))
        self._complain()

    def close(self) -> None:
        """Write what waits and close the file. Idempotent."""
        self.flush()
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def _write(self, file: sqlite3.Connection, pending: dict[str, str], touched: set[str]) -> None:
        today = self._today()
        with file:
            rows = [(digest, text, today) for digest, text in pending.items()]
            file.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", rows)
            file.executemany("UPDATE objects SET day = ? WHERE digest = ?", [(today, digest) for digest in touched])
            (count,) = file.execute("SELECT count(*) FROM objects").fetchone()
            if count > self._max_rows:
                surplus = count - self._max_rows + self._max_rows // _SHARE_DROPPED
                oldest = "SELECT digest FROM objects ORDER BY day, digest LIMIT ?"
                file.execute(f"DELETE FROM objects WHERE digest IN ({oldest})", (surplus,))  # noqa: S608 - constants

    def _today(self) -> int:
        return int(self._clock.now().timestamp()) // _DAY_S

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Under the lock: the result of some work on the file, None when there is no usable file."""
        if self._file is None:
            return None
        try:
            return work(self._file)
        except sqlite3.OperationalError as error:
            # Busy or full: a cache can do without.
            self._complaint = str(error)
        except sqlite3.DatabaseError as error:
            self._complaint = str(error)
            self._set_aside()
            self._open()
        return None

    def _open(self) -> None:
        try:
            self._file = self._connect()
        except sqlite3.OperationalError as error:
            self._complaint = str(error)
        except sqlite3.DatabaseError as error:
            self._complaint = str(error)
            self._set_aside()
            self._open_afresh()
        except OSError as error:
            self._complaint = _what_failed(error)

    def _open_afresh(self) -> None:
        """After a broken file was set aside; a second failure leaves us without."""
        try:
            self._file = self._connect()
        except (sqlite3.Error, OSError) as error:
            self._complaint = str(error)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by us, so that nobody else can read it from its first byte on.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        file = sqlite3.connect(self._path, timeout=_LOCK_WAIT_S, check_same_thread=False)
        try:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = NORMAL")
            (version,) = file.execute("PRAGMA user_version").fetchone()
            if version not in (0, FORMAT):
                file.execute("DROP TABLE IF EXISTS objects")
                file.execute("DROP TABLE IF EXISTS repositories")
            for statement in _SCHEMA:
                file.execute(statement)
            # A broken page shows only when it is read.
            file.execute("SELECT facts FROM objects LIMIT 1").fetchone()
        except sqlite3.Error:
            file.close()
            raise
        return file

    def _set_aside(self) -> None:
        """Rename a broken file; its companions are of no use without it."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._repositories.clear()
        try:
            self._path.replace(self._path.with_suffix(".broken"))
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            self._complaint = error.strerror or str(error)

    def _complain(self) -> None:
        """Outside the lock: say what went wrong with the file, once a minute when it goes on."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            complaint, self._complaint = self._complaint, ""
            is_usable = self._file is not None
            is_news = complaint and (complaint != self._said or now_s - self._said_at_s >= _SILENCE_S)
            if is_news:
                self._said, self._said_at_s = complaint, now_s
        if is_news:
            self._log.warning(
                "registry_cache_failed",
                path=str(self._path),
                error=complaint,
                goes_on_in="file" if is_usable else "memory",
            )


def _what_failed(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file is where the folder should be"
    return error.strerror or str(error)


def _find(file: sqlite3.Connection, digest: str) -> tuple[object, int] | None:
    row: tuple[object, int] | None = file.execute(
        "SELECT facts, day FROM objects WHERE digest = ?", (digest,)
    ).fetchone()
    return row


def _has_repository(file: sqlite3.Connection, key: str) -> bool:
    return file.execute("SELECT 1 FROM repositories WHERE name = ?", (key,)).fetchone() is not None


def _put_repository(file: sqlite3.Connection, key: str) -> None:
    with file:
        file.execute("INSERT OR IGNORE INTO repositories VALUES (?)", (key,))
