"""Edited files of one batch, in memory, on top of a commit: each intent sees what those before it wrote.

A failed edit leaves nothing behind, because it has nothing to leave it in; the next intent for the same file starts
from the text before it (``write-back.md`` 5.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from updater.errors import GitError, UpdaterError, WriteBackError
from updater.manifests.kustomization import FILE_NAMES, choose_kustomization_file
from updater.manifests.tree_paths import TreeEntry, TreeKind, real_path
from updater.model.git_targets import GitTarget, TargetFile
from updater.model.report import Warned
from updater.ports.git import CommitContent, Entry, EntryKind
from updater.rules.repository_paths import ROOT
from updater.writeback.git_intents import GitIntent
from updater.writeback.line_diffs import unified_lines

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_LINK_BYTES = 4096
MAX_DIFF_LINES = 200
"""Of one file; a new override file may hold a thousand parameters."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What one intent did to one file; ``diff`` are lines for people."""

    path: str
    is_changed: bool
    diff: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()


class Staging:
    """One batch on one commit. Lives in one thread."""

    def __init__(self, content: CommitContent) -> None:
        self._content = content
        self._original: dict[str, bytes | None] = {}
        self._current: dict[str, bytes | None] = {}
        self._editors: dict[str, list[GitIntent]] = {}
        self._new_files: set[str] = set()
        self._new_folders: set[str] = set()

    @property
    def changes(self) -> Mapping[str, bytes]:
        """Files that differ from the commit, by real path."""
        return {
            path: content
            for path, content in self._current.items()
            if content is not None and content != self._original[path]
        }

    def size_of(self, intent: GitIntent) -> int:
        """Bytes of the intent's file; 0 when it is new, or when ``apply`` will say what is wrong with it."""
        try:
            return len(self._bytes(locate(self._content, intent.target)) or b"")
        except UpdaterError:
            return 0

    def apply(self, intent: GitIntent) -> Staged:
        """Edit the file of one intent; raises ``UpdaterError`` and then has changed nothing."""
        real = locate(self._content, intent.target)
        self._check_room(real)
        before = self._text(real)
        edit = intent.edit(before, real.path)
        after = edit.text.encode()
        self._editors.setdefault(real.path, []).append(intent)
        if not edit.is_changed or after == self._current[real.path]:
            return Staged(real.path, is_changed=False, warnings=edit.warnings)
        self._current[real.path] = after
        if real.entry is None:
            self._new_files.add(real.path)
            self._new_folders.update(_folders_of(real.path))
        return Staged(real.path, is_changed=True, diff=_diff(real.path, before, edit.text), warnings=edit.warnings)

    def conflicts(self) -> Iterable[tuple[GitIntent, GitIntent]]:
        """Pairs of Applications that want different values at one place: the first was overridden by the second."""
        for path, intents in self._editors.items():
            current = self._current.get(path)
            if current is None or len(intents) == 1:
                continue
            for earlier in intents[:-1]:
                if _wants_more(earlier, current.decode(), path):
                    yield earlier, intents[-1]

    def _check_room(self, real: RealFile) -> None:
        """Refuse a new file where this batch makes a folder, or below a file that it makes: no tree holds both."""
        if real.entry is None and real.path in self._new_folders:
            raise WriteBackError("another change makes a folder of it", where=real.path, code="target_is_directory")
        if real.entry is None and not self._new_files.isdisjoint(_folders_of(real.path)):
            text = "another change makes a file of one of its folders"
            raise WriteBackError(text, where=real.path, code="parent_not_directory")

    def _bytes(self, real: RealFile) -> bytes | None:
        if real.path not in self._current:
            self._original[real.path] = self._current[real.path] = self._read(real)
        return self._current[real.path]

    def _text(self, real: RealFile) -> str | None:
        content = self._bytes(real)
        if content is None:
            return None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WriteBackError("the file is not UTF-8", where=real.path, code="target_not_utf8") from error

    def _read(self, real: RealFile) -> bytes | None:
        if real.entry is None:
            return None
        try:
            return self._content.read(real.entry.object_id, MAX_FILE_BYTES)
        except GitError as error:
            if error.code != "object_too_large":
                raise
            text = f"the file is larger than {MAX_FILE_BYTES} bytes"
            raise WriteBackError(text, where=real.path, code="target_too_large") from error


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _wants_more(intent: GitIntent, text: str, path: str) -> bool:
    try:
        return intent.edit(text, path).is_changed
    except UpdaterError:
        return True


@dataclass(frozen=True, slots=True)
class RealFile:
    """The path of the file itself, and what stands there (None: nothing yet)."""

    path: str
    entry: Entry | None


def locate(content: CommitContent, target: GitTarget) -> RealFile:
    """The real file of a target.

    Raises ``WriteBackError`` and ``PlanError`` (paths, ``kustomization_not_found``, ...), ``GitError``.
    """
    path = target.path
    if target.file is TargetFile.KUSTOMIZATION:
        folder = real_path(path, lambda each: _look(content, each), wants_directory=True)
        base = "" if folder == ROOT else f"{folder}/"
        present = [name for name in FILE_NAMES if content.entry(base + name) is not None]
        path = base + choose_kustomization_file(present, folder)
    real = real_path(path, lambda each: _look(content, each))
    entry = content.entry(real)
    if entry is not None and entry.kind is not EntryKind.FILE:
        raise WriteBackError("the target is no file", where=path, code="target_is_directory")
    return RealFile(real, entry)


def _look(content: CommitContent, path: str) -> TreeEntry | None:
    entry = content.entry(path)
    if entry is None:
        return None
    if entry.kind is EntryKind.SYMLINK:
        return TreeEntry(TreeKind.SYMLINK, _link(content, entry, path))
    return TreeEntry(TreeKind.DIRECTORY if entry.kind is EntryKind.DIRECTORY else TreeKind.FILE)


def _link(content: CommitContent, entry: Entry, path: str) -> str:
    try:
        return content.read(entry.object_id, MAX_LINK_BYTES).decode(errors="surrogateescape")
    except GitError as error:
        if error.code != "object_too_large":
            raise
        text = f"the symlink is longer than {MAX_LINK_BYTES} bytes"
        raise WriteBackError(text, where=path, code="invalid_path") from error


def _diff(path: str, before: str | None, after: str) -> tuple[str, ...]:
    names = f"--- {'a/' + path if before is not None else '/dev/null'}", f"+++ b/{path}"
    lines = chain(names, unified_lines((before or "").splitlines(), after.splitlines()))
    shown = tuple(islice(lines, MAX_DIFF_LINES))
    more = sum(1 for _ in lines)
    return (*shown, f"... and {more} lines more") if more else shown
