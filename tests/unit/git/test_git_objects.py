"""Objects out of packs that git made: read as they are, unless unpacking them would take the machine's memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from updater.errors import GitError
from updater.git import objects
from updater.git.objects import ObjectAccess, ObjectStore
from updater.playground.git_remote import BareRepository

_VERSIONS = [
    "".join(f"setting{line}: {line * 7919 if line > 60 * version else line**5}\n" for line in range(2_000)).encode()
    for version in range(30)
]
_LINKS = {"by distance": ["--delta-base-offset"], "by name": []}


@pytest.fixture(params=_LINKS.values(), ids=_LINKS)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[BareRepository, list[str]]:
    """A repository whose only pack holds one chain of deltas, and its objects."""
    repository = BareRepository(tmp_path / "packed")
    names = [repository.git("hash-object", "-w", "--stdin", stdin=content).strip() for content in _VERSIONS]
    words = ("pack-objects", "-q", "--window=10", "--depth=50", *request.param, "objects/pack/pack")
    repository.git(*words, stdin="".join(f"{name}\n" for name in names).encode())
    repository.git("prune-packed", "-q")
    return repository, names


@contextmanager
def _opened(repository: BareRepository) -> Iterator[ObjectStore]:
    store = ObjectStore(repository.folder, ObjectAccess())
    yield store
    store.close()


def test_every_link_of_a_chain_is_read(packed: tuple[BareRepository, list[str]]) -> None:
    repository, names = packed
    assert int(repository.git("count-objects", "-v").partition("count: ")[2].split()[0]) == 0
    with _opened(repository) as store:
        assert [store.read(name, "blob", 100_000) for name in names] == _VERSIONS


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        pytest.param("MAX_DELTA_BYTES", 20_000, id="one link is too large"),
        pytest.param("MAX_CHAIN_BYTES", 200_000, id="all together are"),
    ],
)
def test_a_chain_that_unpacks_to_too_much_is_not_unpacked(
    packed: tuple[BareRepository, list[str]], monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    repository, _ = packed
    monkeypatch.setattr(objects, limit, most)
    with _opened(repository) as store, pytest.raises(GitError) as refused:
        store.read(_deepest(repository), "blob", 100_000)
    assert refused.value.code == "object_too_large"


def test_a_refused_object_lets_its_pack_be_closed(packed: tuple[BareRepository, list[str]]) -> None:
    repository, names = packed
    store = ObjectStore(repository.folder, ObjectAccess())
    with pytest.raises(GitError) as refused:
        store.read(names[0], "blob", 10)
    store.close()  # the error, and with it the frames that it went through, is still there
    assert refused.value.code == "object_too_large"


def _deepest(repository: BareRepository) -> str:
    """The object with the most deltas below it."""
    (index,) = (repository.folder / "objects" / "pack").glob("*.idx")
    rows = [line.split() for line in repository.git("verify-pack", "-v", str(index)).splitlines()]
    return max((row for row in rows if len(row) == 7), key=lambda row: int(row[5]))[0]
