"""From a target path to a real file of a commit: symlinks are followed by hand and never out of the repository.

Rules: ``write-back.md`` 3.5. A commit has no absolute paths and nothing above its root, so there is nothing to open by
mistake; what is refused here would otherwise be written beside the file that Argo CD reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from updater.errors import WriteBackError
from updater.ports.git import Entry, EntryKind

MAX_HOPS = 40
"""Symlinks followed for one path, as the kernel has it (Linux ``MAXSYMLINKS``)."""
MAX_LINK_BYTES = 4096


class Files(Protocol):
    """What a path is looked up in."""

    def entry(self, path: str) -> Entry | None: ...

    def read(self, object_id: str, max_bytes: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class RealPath:
    """The real path, and what stands there (None: nothing yet)."""

    path: str
    entry: Entry | None


def resolve_path(files: Files, path: str) -> RealPath:
    """Where a path leads; a missing end is fine, its parents need not exist either.

    Raises ``WriteBackError``: ``invalid_path``, ``path_escapes_repo``, ``symlink_escapes_repo``, ``symlink_loop``,
    ``path_in_git_dir``, ``parent_not_directory``; ``GitError`` when a link cannot be read.
    """
    if "\0" in path or "\\" in path:
        raise WriteBackError("the path holds characters that no path has", where=path, code="invalid_path")
    if path.startswith("/"):
        raise _escape(path, "path_escapes_repo")
    return _Walk(files, path).carry_out()


def resolve_file(files: Files, path: str) -> RealPath:
    """``resolve_path`` for a file; raises ``target_is_directory`` as well."""
    found = resolve_path(files, path)
    if found.path == "" or (found.entry is not None and found.entry.kind is not EntryKind.FILE):
        raise WriteBackError("the target is a directory", where=path, code="target_is_directory")
    return found


def _escape(path: str, code: str) -> WriteBackError:
    return WriteBackError("the path leads out of the repository", where=path, code=code)


class _Walk:
    """One path on its way, component by component."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._asked = path
        self._left = path.split("/")[::-1]
        self._real: list[str] = []
        self._hops = 0

    def carry_out(self) -> RealPath:
        entry: Entry | None = None
        while self._left:
            name = self._left.pop()
            if name in ("", "."):
                continue
            entry = self._up() if name == ".." else self._down(name)
        return RealPath("/".join(self._real), entry)

    def _up(self) -> Entry | None:
        if not self._real:
            raise _escape(self._asked, "symlink_escapes_repo" if self._hops else "path_escapes_repo")
        self._real.pop()
        return self._files.entry("/".join(self._real))

    def _down(self, name: str) -> Entry | None:
        if name.lower() == ".git":
            raise WriteBackError("the path leads into .git", where=self._asked, code="path_in_git_dir")
        self._real.append(name)
        entry = self._files.entry("/".join(self._real))
        if entry is None:
            return None
        if entry.kind is EntryKind.SYMLINK:
            self._follow(entry)
            return self._files.entry("/".join(self._real))
        if self._left and entry.kind is not EntryKind.DIRECTORY and any(rest not in ("", ".") for rest in self._left):
            raise WriteBackError("a part of the path is no directory", where=self._asked, code="parent_not_directory")
        if entry.kind is EntryKind.SUBMODULE:
            raise WriteBackError("the path leads into a submodule", where=self._asked, code="parent_not_directory")
        return entry

    def _follow(self, entry: Entry) -> None:
        self._hops += 1
        if self._hops > MAX_HOPS:
            raise WriteBackError("symlinks of the path lead in a circle", where=self._asked, code="symlink_loop")
        link = self._files.read(entry.object_id, MAX_LINK_BYTES).decode("utf-8", "surrogateescape")
        self._real.pop()
        if not link or link.startswith("/") or "\0" in link:
            raise _escape(self._asked, "symlink_escapes_repo")
        self._left.extend(link.split("/")[::-1])
