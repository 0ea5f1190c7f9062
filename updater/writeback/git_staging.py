"""Edited files of one batch, in memory, on top of a commit: each intent sees what those before it wrote.

The intents of one file are carried out together (``git_edits.py``), small files first. What was read from the last file
is kept for the next look at it, and goes with the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from updater.errors import GitError, PlanError, UpdaterError, WriteBackError
from updater.manifests.kustomization import FILE_NAMES, choose_kustomization_file
from updater.manifests.readings import SharedText, Source
from updater.manifests.tree_paths import TreeEntry, TreeKind, real_path
from updater.model.git_targets import GitTarget, TargetFile
from updater.ports.git import CommitContent, Entry, EntryKind
from updater.rules.repository_paths import ROOT
from updater.writeback.git_edits import IsLate, Outcome, Staged, bare, edit_file, wants_more
from updater.writeback.git_intents import GitIntent

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_LINK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The file that was looked at last, with what was read from it."""

    path: str
    source: SharedText


class Staging:
    """One batch on one commit. Lives in one thread.

    ``kept``: from another commit of the same batch; it counts where the file is still the same.
    """

    def __init__(self, content: CommitContent, kept: KeptFile | None = None) -> None:
        self._content = content
        self.kept = kept
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

    def apply(self, intent: GitIntent) -> Staged:
        """Edit the file of one intent; raises ``UpdaterError`` and then has changed nothing."""
        outcome = self.apply_all([intent])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def apply_all(self, intents: Sequence[GitIntent], is_late: IsLate = lambda: False) -> tuple[Outcome, ...]:
        """The outcome of each intent, in their order; those of one file are carried out in their order.

        Raises ``UpdaterError`` for what concerns more than one file. is_late: when it holds, the rest is left undone;
        small files come first, because a few huge ones must not cost the others.
        """
        outcomes: dict[int, Outcome] = {}
        for group in self._files(intents):
            found = self._apply_to_file([intents[index] for index in group], is_late)
            outcomes.update(zip(group, found, strict=True))
        return tuple(outcomes[index] for index in range(len(intents)))

    def _files(self, intents: Sequence[GitIntent]) -> list[list[int]]:
        """Positions of the intents by file, in the order of size and of the first intent; what has no file is alone."""
        groups: dict[tuple[int, str | int], list[int]] = {}
        for index, intent in enumerate(intents):
            try:
                real = locate(self._content, intent.target)
                key: tuple[int, str | int] = len(self._bytes(real) or b""), real.path
            except UpdaterError:
                key = 0, index
            groups.setdefault(key, []).append(index)
        return [groups[key] for key in sorted(groups, key=lambda key: (key[0], groups[key][0]))]

    def _apply_to_file(self, intents: Sequence[GitIntent], is_late: IsLate) -> tuple[Outcome, ...]:
        try:
            real = locate(self._content, intents[0].target)
            self._check_room(real)
            text = self._text(real)
        except (WriteBackError, PlanError) as error:
            return (bare(error),) * len(intents)
        edited = edit_file(real.path, self._source(real.path, text), intents, is_late)
        found = zip(intents, edited.outcomes, strict=True)
        self._editors.setdefault(real.path, []).extend(each for each, outcome in found if isinstance(outcome, Staged))
        if edited.source is not None:
            self._keep(real, edited.source)
        return edited.outcomes

    def _keep(self, real: RealFile, source: Source) -> None:
        shared = source if isinstance(source, SharedText) else SharedText(source)
        self.kept = KeptFile(real.path, shared)
        self._current[real.path] = shared.text.encode()
        if real.entry is None:
            self._new_files.add(real.path)
            self._new_folders.update(_folders_of(real.path))

    def forget(self) -> None:
        """Release what was read: a large file takes hundreds of megabytes, and a push takes its time."""
        self.kept = None

    def _source(self, path: str, text: str | None) -> SharedText | None:
        """What an edit starts from: what is kept, if it is of this text."""
        if self.kept is not None and self.kept.path == path and self.kept.source.text == text:
            return self.kept.source
        return None if text is None else SharedText(text)

    def conflicts(self) -> Iterable[tuple[GitIntent, GitIntent]]:
        """Pairs of Applications that want different values at one place: the first was overridden by the second."""
        for path, intents in self._editors.items():
            current = self._current.get(path)
            source = None if current is None else self._source(path, current.decode())
            if source is None or len(intents) == 1:
                continue
            for earlier in intents[:-1]:
                is_overridden, source = wants_more(path, source, earlier)
                if is_overridden:
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
