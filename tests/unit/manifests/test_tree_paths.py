from __future__ import annotations

import pytest

from updater.errors import UpdaterError
from updater.manifests.tree_paths import TreeEntry, TreeKind, real_path

_DIR, _FILE = TreeEntry(TreeKind.DIRECTORY), TreeEntry(TreeKind.FILE)


def _link(text: str) -> TreeEntry:
    return TreeEntry(TreeKind.SYMLINK, text)


_TREE = {
    "a": _DIR,
    "a/b": _DIR,
    "a/b/f": _FILE,
    "up": _link("a/b/../../a"),
    "root": _link("."),
    "chain": _link("up/b"),
    "out": _link("a/../../x"),
    "git": _link("a/.GIT/x"),
    "to-file": _link("a/b/f"),
    "absolute": _link("/a"),
    **{f"hop{number}": _link(f"hop{number + 1}") for number in range(50)},
    "hop50": _FILE,
}


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("up/b/f", "a/b/f"),
        ("chain/new/dir/f", "a/b/new/dir/f"),
        ("root/root/a/b/f", "a/b/f"),
        ("to-file", "a/b/f"),
        ("hop20", "hop50"),
        ("hop5", "symlink_loop"),
        ("out/f", "symlink_escapes_repo"),
        ("absolute/b/f", "symlink_escapes_repo"),
        ("git", "path_in_git_dir"),
        ("to-file/x", "parent_not_directory"),
        ("root", "target_is_directory"),
        (".", "target_is_directory"),
        ("a\\b", "invalid_path"),
    ],
)
def test_links_inside_are_followed_and_others_refused(path: str, outcome: str) -> None:
    try:
        found = real_path(path, _TREE.get)
    except UpdaterError as error:
        found = error.code
    assert found == outcome


@pytest.mark.parametrize(
    ("path", "outcome"), [("up/b", "a/b"), ("root", "."), (".", "."), ("a/b/f", "parent_not_directory")]
)
def test_a_directory_is_found_where_one_is_wanted(path: str, outcome: str) -> None:
    try:
        found = real_path(path, _TREE.get, wants_directory=True)
    except UpdaterError as error:
        found = error.code
    assert found == outcome
