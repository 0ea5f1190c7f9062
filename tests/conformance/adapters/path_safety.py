"""The file of a commit that a target's path leads to."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import UpdaterError
from updater.manifests.tree_paths import TreeEntry, TreeKind, real_path


def _path_safety(vector: Vector) -> Any:
    tree = {path: _entry(raw) for path, raw in vector.given["tree"].items()}
    try:
        return real_path(vector.given["path"], tree.get)
    except UpdaterError as error:
        return {"error": error.code}


def _entry(raw: Any) -> TreeEntry:
    if isinstance(raw, dict):
        return TreeEntry(TreeKind.SYMLINK, raw["symlink"])
    return TreeEntry(TreeKind.DIRECTORY if raw == "dir" else TreeKind.FILE)


ADAPTERS = {"path_safety": _path_safety}
