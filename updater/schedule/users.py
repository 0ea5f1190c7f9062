"""Who uses a repository: an index from repositories to Applications (``runtime.md`` 7.6).

An event costs a few lookups whatever the size of the fleet. Not thread-safe: its owner holds a lock around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from updater.model.references import DOCKER_HUB, ImageRepository

_HUBS = frozenset({DOCKER_HUB, "index.docker.io"})
_OFFICIAL = "library/"
_NOTHING: frozenset[ImageRepository] = frozenset()


@dataclass(frozen=True, slots=True)
class Users:
    """Keys of Applications, in their order, and the spellings under which they use the repository."""

    keys: tuple[str, ...] = ()
    repositories: frozenset[ImageRepository] = frozenset()


class RepositoryUsers:
    """Repositories by Application, and the other way round."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[ImageRepository]] = {}
        self._users: dict[ImageRepository, set[str]] = {}

    def put(self, key: str, repositories: frozenset[ImageRepository]) -> None:
        """The Application uses these now, and no others."""
        before = self._of.get(key, _NOTHING)
        if before == repositories:
            return
        for repository in before - repositories:
            self._take_out(key, repository)
        for repository in repositories - before:
            self._users.setdefault(repository, set()).add(key)
        self._of[key] = repositories

    def remove(self, key: str) -> None:
        """The Application is gone. Harmless when it was not there."""
        for repository in self._of.pop(key, _NOTHING):
            self._take_out(key, repository)

    def find(self, registry: str, name: str) -> Users:
        """Who has an entry with this path, and with this registry or none.

        On Docker Hub ``library/nginx`` and ``nginx`` are one. Everything else compares exactly.
        """
        return self._users_of_any(
            ImageRepository(host, path) for host in _hosts(registry) for path in _paths(registry, name)
        )

    def find_same(self, repository: ImageRepository) -> Users:
        """Who has an entry with this very repository, on Docker Hub in any of its spellings."""
        if repository.registry and repository.registry not in _HUBS:
            return self._users_of_any((repository,))
        return self.find(DOCKER_HUB, repository.name)

    def _users_of_any(self, wanted: Iterable[ImageRepository]) -> Users:
        found = frozenset(repository for repository in wanted if repository in self._users)
        keys = {key for repository in found for key in self._users[repository]}
        return Users(tuple(sorted(keys)), found)

    def _take_out(self, key: str, repository: ImageRepository) -> None:
        users = self._users[repository]
        users.discard(key)
        if not users:
            del self._users[repository]


def _hosts(registry: str) -> frozenset[str]:
    """An entry without a registry matches every registry (``runtime.md`` 11, D-27)."""
    return frozenset({"", *(_HUBS if registry in _HUBS else (registry,))})


def _paths(registry: str, name: str) -> frozenset[str]:
    bare = name.removeprefix(_OFFICIAL)
    return frozenset({name} if registry not in _HUBS or "/" in bare else {bare, _OFFICIAL + bare})
