"""The files of one commit, straight from the objects of a mirror; nothing is ever written to a worktree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from updater.errors import GitError
from updater.git.objects import ObjectsMissing, ObjectStore
from updater.git.trees import MAX_TREE_BYTES, Tree, parse_tree
from updater.ports.git import Entry, EntryKind

MAX_COMMIT_BYTES = 16 * 1024 * 1024
"""Of a message that anybody may have written: git knows no limit, and a branch with a longer one cannot be written."""
_TREE_LINE = b"tree "


class ObjectSource(Protocol):
    """Objects that are here, and the way to those that are not."""

    @property
    def objects(self) -> ObjectStore: ...

    def fetch_missing(self, object_ids: Sequence[str]) -> None: ...


def tree_of(objects: ObjectStore, commit: str) -> str:
    """The id of the root tree of a commit; raises ``ObjectsMissing`` and ``GitError``."""
    first = objects.read(commit, "commit", MAX_COMMIT_BYTES).partition(b"\n")[0]
    if not first.startswith(_TREE_LINE):
        raise GitError(f"{commit} is no commit", code="mirror_damaged", retryable=True)
    return first.removeprefix(_TREE_LINE).decode("ascii", "replace")


class StoredCommit:
    """A ``CommitContent``; remembers the trees it has read. Lives no longer than its session."""

    def __init__(self, commit: str, source: ObjectSource) -> None:
        self._commit = commit
        self._source = source
        self._trees: dict[str, Tree] = {}
        self._root: str | None = None

    @property
    def commit(self) -> str:
        return self._commit

    def entry(self, path: str) -> Entry | None:
        found: Entry | None = Entry(EntryKind.DIRECTORY, self._root_id())
        for name in path.split("/") if path else ():
            if found is None or found.kind is not EntryKind.DIRECTORY:
                return None
            row = self._tree(found.object_id).get(name.encode("utf-8", "surrogateescape"))
            found = Entry(row.kind, row.object_id) if row else None
        if not path:
            self._tree(self._root_id())
        return found

    def prefetch(self, object_ids: Sequence[str]) -> None:
        self._source.fetch_missing(object_ids)

    def read(self, object_id: str, max_bytes: int) -> bytes:
        try:
            return self._source.objects.read(object_id, "blob", max_bytes)
        except ObjectsMissing as missing:
            self._source.fetch_missing(missing.object_ids)
        return self._read(object_id, "blob", max_bytes)

    def _root_id(self) -> str:
        if self._root is None:
            try:
                self._root = tree_of(self._source.objects, self._commit)
            except ObjectsMissing as error:
                raise _incomplete() from error
        return self._root

    def _tree(self, object_id: str) -> Tree:
        tree = self._trees.get(object_id)
        if tree is None:
            tree = self._trees[object_id] = parse_tree(self._read(object_id, "tree", MAX_TREE_BYTES))
        return tree

    def _read(self, object_id: str, kind: str, max_bytes: int) -> bytes:
        try:
            return self._source.objects.read(object_id, kind, max_bytes)
        except ObjectsMissing as error:
            raise _incomplete() from error


def _incomplete() -> GitError:
    return GitError("the mirror lacks objects that it should hold", code="mirror_damaged", retryable=True)
