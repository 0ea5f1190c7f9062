"""Tree objects: read, changed and written as git itself would."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import GitError
from updater.git.trees import TreeRow, parse_tree, render_tree, write_changes
from updater.ports.git import EntryKind

_ID = "0123456789abcdef0123456789abcdef01234567"
_NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name and b"/" not in name)
_ROWS = st.dictionaries(
    _NAMES,
    st.builds(TreeRow, st.sampled_from([b"100644", b"100755", b"40000", b"120000", b"160000"]), st.just(_ID)),
    max_size=8,
)


class Memory:
    """Objects in memory, with git's ids."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, bytes]] = {}

    def read(self, object_id: str, kind: str, max_bytes: int) -> bytes:
        found, content = self.objects[object_id]
        assert found == kind
        return content

    def write(self, kind: str, content: bytes) -> str:
        object_id = hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(content), content)).hexdigest()  # noqa: S324 - git's
        self.objects[object_id] = (kind, content)
        return object_id

    def files(self, tree_id: str, prefix: str = "") -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name, row in parse_tree(self.read(tree_id, "tree", 1000)).items():
            path = prefix + name.decode()
            if row.kind is EntryKind.DIRECTORY:
                found.update(self.files(row.object_id, f"{path}/"))
            else:
                found[path] = self.read(row.object_id, "blob", 1000)
        return found


@given(_ROWS)
def test_a_tree_is_read_as_it_was_written(rows: dict[bytes, TreeRow]) -> None:
    assert parse_tree(render_tree(rows)) == rows


@given(st.binary(max_size=120))
def test_bytes_that_are_no_tree_are_an_error_and_nothing_else(content: bytes) -> None:
    try:
        rows = parse_tree(content)
    except GitError as error:
        assert error.code == "mirror_damaged"  # noqa: PT017 - either outcome is fine
        return
    assert sum(len(name) + len(row.mode) + 22 for name, row in rows.items()) <= len(content)


def test_directories_are_sorted_as_if_they_ended_in_a_slash() -> None:
    rows = {
        b"a": TreeRow(b"40000", _ID),
        b"a.b": TreeRow(b"100644", _ID),
        b"a0": TreeRow(b"100644", _ID),
    }
    assert list(parse_tree(render_tree(rows))) == [b"a.b", b"a", b"a0"]


_PATHS = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3).map("/".join)


@given(
    st.dictionaries(_PATHS, st.binary(max_size=5), max_size=4),
    st.dictionaries(_PATHS, st.binary(max_size=5), max_size=3),
)
def test_changes_set_their_files_and_touch_no_other(before: dict[str, bytes], changes: dict[str, bytes]) -> None:
    everything = {*before, *changes}
    if any(other.startswith(f"{path}/") for path in everything for other in everything):
        return
    memory = Memory()
    root = write_changes(memory, "", before)
    assert memory.files(write_changes(memory, root, changes)) == {**before, **changes}


def test_the_mode_of_a_file_stays() -> None:
    memory = Memory()
    blob = memory.write("blob", b"old")
    root = memory.write("tree", render_tree({b"run": TreeRow(b"100755", blob)}))
    changed = parse_tree(memory.read(write_changes(memory, root, {"run": b"new"}), "tree", 1000))
    assert changed[b"run"].mode == b"100755"


@pytest.mark.parametrize("path", ["file/below", "link"])
def test_a_file_is_not_replaced_by_what_it_is_not(path: str) -> None:
    memory = Memory()
    blob = memory.write("blob", b"x")
    rows = {b"file": TreeRow(b"100644", blob), b"link": TreeRow(b"120000", blob)}
    root = memory.write("tree", render_tree(rows))
    with pytest.raises(GitError):
        write_changes(memory, root, {path: b"new"})
