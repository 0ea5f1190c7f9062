"""Tree objects: bytes to entries and back, and a new root for changed files. Pure but for the store it is handed.

Format: git's ``tree`` object, per entry octal mode, blank, name, NUL, 20 bytes of id, sorted as if names of directories
ended in a slash. Names stay bytes: what we do not touch is written back as it was, whatever its encoding.
"""

from __future__ import annotations

from binascii import hexlify, unhexlify
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from updater.errors import GitError
from updater.ports.git import EntryKind

_ID_BYTES = 20
MAX_TREE_BYTES = 64 * 1024 * 1024
_DIRECTORY_MODE = b"40000"
FILE_MODE = b"100644"
_KINDS = {
    b"40000": EntryKind.DIRECTORY,
    b"040000": EntryKind.DIRECTORY,  # written by some old tools
    b"120000": EntryKind.SYMLINK,
    b"160000": EntryKind.SUBMODULE,
}


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One entry: mode as it is stored, id in hex."""

    mode: bytes
    object_id: str

    @property
    def kind(self) -> EntryKind:
        return _KINDS.get(self.mode, EntryKind.FILE)


Tree = dict[bytes, TreeRow]


class Objects(Protocol):
    """What trees need of an object store."""

    def read(self, object_id: str, kind: str, max_bytes: int) -> bytes: ...

    def write(self, kind: str, content: bytes) -> str: ...


def parse_tree(content: bytes) -> Tree:
    """Entries by name; raises ``GitError`` ``mirror_damaged`` for bytes that are no tree."""
    rows: Tree = {}
    at = 0
    while at < len(content):
        blank, zero = content.find(b" ", at), content.find(b"\0", at)
        end = zero + 1 + _ID_BYTES
        if not at < blank < zero - 1 or end > len(content):
            raise GitError("an object that should be a tree is none", code="mirror_damaged", retryable=True)
        rows[content[blank + 1 : zero]] = TreeRow(content[at:blank], hexlify(content[zero + 1 : end]).decode())
        at = end
    return rows


def render_tree(rows: Mapping[bytes, TreeRow]) -> bytes:
    """The bytes of a tree object."""
    ordered = sorted(rows.items(), key=lambda row: row[0] + b"/" if row[1].kind is EntryKind.DIRECTORY else row[0])
    return b"".join(b"%s %s\0%s" % (row.mode, name, unhexlify(row.object_id)) for name, row in ordered)


def write_changes(objects: Objects, root_id: str, changes: Mapping[str, bytes]) -> str:
    """The id of the tree ``root_id`` with the given files set; paths are real (no symlink on the way).

    Modes of existing files stay, new ones are 100644. Raises ``GitError`` when a path leads through a file.
    """
    rows = parse_tree(objects.read(root_id, "tree", MAX_TREE_BYTES)) if root_id else {}
    deeper: dict[bytes, dict[str, bytes]] = {}
    for path, content in changes.items():
        first, slash, rest = path.partition("/")
        name = first.encode("utf-8", "surrogateescape")
        if slash:
            deeper.setdefault(name, {})[rest] = content
        else:
            rows[name] = TreeRow(_mode_for(rows.get(name), path), objects.write("blob", content))
    for name, below in deeper.items():
        row = rows.get(name)
        if row is not None and row.kind is not EntryKind.DIRECTORY:
            raise GitError("a file stands where a directory is needed", where=name.decode("utf-8", "replace"))
        rows[name] = TreeRow(_DIRECTORY_MODE, write_changes(objects, row.object_id if row else "", below))
    return objects.write("tree", render_tree(rows))


def _mode_for(row: TreeRow | None, path: str) -> bytes:
    if row is None:
        return FILE_MODE
    if row.kind is not EntryKind.FILE:
        raise GitError("what should be replaced is no file", where=path)
    return row.mode
