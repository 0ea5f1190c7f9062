"""From a target's path to the file that is really edited: symlinks in a commit, walked by ourselves.

Git does not follow links, so the real file is edited and stored. Source: ``write-back.md`` 3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from updater.errors import WriteBackError
from updater.rules.repository_paths import ROOT, check_components, normalise_path

HOP_LIMIT = 40
"""Links on one way; Linux stops there as well."""


class TreeKind(Enum):
    """What stands at one path of a commit."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a commit; ``link`` is the text of a symlink."""

    kind: TreeKind
    link: str = ""


Look = Callable[[str], TreeEntry | None]
"""What stands at a path whose parents are no symlinks; None for nothing."""


def real_path(path: str, look: Look, *, wants_directory: bool = False) -> str:
    """The path of the file (or directory) itself, which need not exist yet.

    Raises ``PlanError`` as ``normalise_path`` does, and ``WriteBackError`` (``symlink_escapes_repo``,
    ``symlink_loop``, ``parent_not_directory``, ``target_is_directory``).
    """
    walk = _Walk(path, look)
    walk.go(normalise_path(path))
    entry = look("/".join(walk.reached)) if walk.reached else TreeEntry(TreeKind.DIRECTORY)
    if entry is not None and entry.kind is TreeKind.DIRECTORY and not wants_directory:
        raise walk.refused("is a directory", "target_is_directory")
    if entry is not None and entry.kind is TreeKind.FILE and wants_directory:
        raise walk.refused("is a file, and a directory is wanted", "parent_not_directory")
    return "/".join(walk.reached) or ROOT


class _Walk:
    """One way from the root, component by component."""

    def __init__(self, path: str, look: Look) -> None:
        self.reached: list[str] = []
        self._path = path
        self._look = look
        self._hops = 0

    def go(self, path: str) -> None:
        left = path.split("/")[::-1]
        while left:
            component = left.pop()
            if component in ("", ROOT):
                continue
            if component == "..":
                self._climb()
                continue
            self.reached.append(component)
            check_components(self.reached, self._path)
            left += self._beyond(has_more=any(step not in ("", ROOT) for step in left))

    def _climb(self) -> None:
        if not self.reached:
            raise self.refused("follows a symlink out of the repository", "symlink_escapes_repo")
        self.reached.pop()

    def _beyond(self, *, has_more: bool) -> list[str]:
        """The steps that a symlink here adds, last one first."""
        entry = self._look("/".join(self.reached))
        if entry is None or entry.kind is TreeKind.DIRECTORY:
            return []
        if entry.kind is TreeKind.FILE:
            if has_more:
                raise self.refused("leads through a file", "parent_not_directory")
            return []
        self._hops += 1
        if self._hops > HOP_LIMIT:
            raise self.refused(f"leads through more than {HOP_LIMIT} symlinks", "symlink_loop")
        if entry.link.startswith("/") or "\0" in entry.link:
            raise self.refused("follows a symlink out of the repository", "symlink_escapes_repo")
        self.reached.pop()
        return entry.link.split("/")[::-1]

    def refused(self, why: str, code: str) -> WriteBackError:
        shown = self._path[:120].encode("unicode_escape").decode()
        return WriteBackError(f"the target {shown!r} {why}", hint="name the file itself as the target", code=code)
