"""Paths inside a repository, as far as the text alone tells (``write-back.md`` 1.3 and 3.5).

A path is relative to the root of the repository, with ``/``. Targets are tenant input: a path that leaves the
repository or enters its ``.git`` is refused. Symlinks are looked at later, in the commit.
"""

from __future__ import annotations

from updater.errors import PlanError

ROOT = "."
"""The root of the repository as a normalised path."""

MAX_DEPTH = 100
"""Components of one path; people have ten, and trees are read and written one within the other."""
MAX_NAME_BYTES = 255
"""Of one component: no file system has longer names, so nobody could check the repository out any more."""


def normalise_path(path: str) -> str:
    """The path without ``.``, ``..`` and doubled slashes.

    Raises ``PlanError`` (``invalid_path``, ``path_escapes_repo``, ``path_in_git_dir``).
    """
    if "\0" in path or "\\" in path:
        raise _refused(path, "holds a backslash or a NUL", "invalid_path")
    if path.startswith("/"):
        raise _refused(path, "is absolute", "path_escapes_repo")
    kept: list[str] = []
    for component in path.split("/"):
        if component == "..":
            if not kept:
                raise _refused(path, "leaves the repository", "path_escapes_repo")
            kept.pop()
        elif component not in ("", "."):
            kept.append(component)
    check_components(kept, path)
    return "/".join(kept) or ROOT


def check_components(components: list[str], path: str) -> None:
    """Refuse Git's own folder in any letter case, and what no disk takes.

    Raises ``PlanError`` (``path_in_git_dir``, ``invalid_path``).
    """
    if any(component.lower() == ".git" for component in components):
        raise _refused(path, "leads into Git's own folder", "path_in_git_dir")
    if len(components) > MAX_DEPTH:
        raise _refused(path, f"is deeper than {MAX_DEPTH} folders", "invalid_path")
    if not all(map(_is_name, components)):
        raise _refused(path, "holds a name that no disk takes", "invalid_path")


def _is_name(component: str) -> bool:
    """Whether a file may be called this; names in a repository need not be UTF-8."""
    try:
        size = len(component.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False
    return size <= MAX_NAME_BYTES and all(character >= " " and character != "\x7f" for character in component)


def join_path(base: str, path: str) -> str:
    """The normalised path that ``path`` names as seen from ``base``; a leading slash means the repository's root.

    Raises like ``normalise_path``.
    """
    return normalise_path(path.lstrip("/") if path.startswith("/") else f"{base.strip('/')}/{path}".lstrip("/"))


def _refused(path: str, why: str, code: str) -> PlanError:
    shown = path[:120].encode("unicode_escape").decode()
    return PlanError(f"the path {shown!r} {why}", hint="write a path inside the repository", code=code)
