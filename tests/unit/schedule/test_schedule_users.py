"""Who uses a repository: the index against the rule of ``runtime.md`` 7.6, applied to everybody in turn."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from updater.model.references import ImageRepository
from updater.schedule.users import RepositoryUsers

HOSTS = ("", "docker.io", "index.docker.io", "ghcr.io", "r.io:5000")
NAMES = ("nginx", "library/nginx", "acme/api", "library/acme/api")
HUBS = ("docker.io", "index.docker.io")

repositories = st.builds(ImageRepository, st.sampled_from(HOSTS), st.sampled_from(NAMES))
lists = st.frozensets(repositories, max_size=4)
fleets = st.dictionaries(st.sampled_from("abcde"), lists)


def bare(name: str) -> str:
    rest = name.removeprefix("library/")
    return name if "/" in rest else rest


def uses(entry: ImageRepository, registry: str, name: str) -> bool:
    if registry in HUBS:
        return entry.registry in ("", *HUBS) and bare(entry.name) == bare(name)
    return entry.registry in ("", registry) and entry.name == name


def is_same(entry: ImageRepository, asked: ImageRepository) -> bool:
    if asked.registry in ("", *HUBS):
        return entry.registry in ("", *HUBS) and bare(entry.name) == bare(asked.name)
    return entry == asked


@settings(max_examples=50)
@given(st.lists(fleets, min_size=1, max_size=4), repositories)
def test_the_index_finds_whom_the_rule_finds(
    generations: list[dict[str, frozenset[ImageRepository]]], asked: ImageRepository
) -> None:
    users = RepositoryUsers()
    known: set[str] = set()
    for fleet in generations:
        for key in known - set(fleet):
            users.remove(key)
        for key, images in fleet.items():
            users.put(key, images)
        known = set(fleet)
    last = generations[-1]
    found = users.find(asked.registry, asked.name)
    expected = {key for key, images in last.items() if any(uses(each, asked.registry, asked.name) for each in images)}
    assert found.keys == tuple(sorted(expected))
    assert all(uses(each, asked.registry, asked.name) for each in found.repositories)
    assert bool(found.repositories) == bool(expected)
    same = {key for key, images in last.items() if any(is_same(each, asked) for each in images)}
    assert users.find_same(asked).keys == tuple(sorted(same))


def test_nothing_is_kept_of_those_who_left() -> None:
    users = RepositoryUsers()
    for number in range(100):
        users.put(f"ns/{number}", frozenset({ImageRepository("", f"acme/{number}")}))
    for number in range(100):
        users.remove(f"ns/{number}")
    users.remove("ns/unknown")
    assert not users._users
    assert not users._of
