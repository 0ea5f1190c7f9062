"""What cycle mode keeps between cycles for the sake of events: the fleet as it was last listed, and who is nudged."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.model.applications import ApplicationSnapshot
from updater.schedule.fleet import ImagesOf
from updater.schedule.users import RepositoryUsers, Users


@dataclass(frozen=True, slots=True)
class Added:
    """``unknown`` are keys that are not in the fleet; ``is_first``: nobody waited before, and somebody does now."""

    unknown: tuple[str, ...]
    is_first: bool


class NudgedFleet:
    """Thread-safe; nothing is called with the lock held."""

    def __init__(self, images_of: ImagesOf) -> None:
        self._images_of = images_of
        self._lock = threading.Lock()
        self._known: Mapping[str, ApplicationSnapshot] = {}
        self._users = RepositoryUsers()
        self._waiting: dict[str, None] = {}

    def replace(self, snapshots: Mapping[str, ApplicationSnapshot]) -> None:
        """The fleet was listed."""
        images = {key: self._images_of(each) for key, each in snapshots.items()}
        with self._lock:
            for key in [key for key in self._known if key not in snapshots]:
                self._users.remove(key)
            for key, repositories in images.items():
                self._users.put(key, repositories)
            self._known = snapshots

    def users_of(self, registry: str, name: str) -> Users:
        """The Applications that use a repository."""
        with self._lock:
            return self._users.find(registry, name)

    def add(self, keys: Sequence[str]) -> Added:
        """Let these wait for a round of their own."""
        with self._lock:
            known = [key for key in keys if key in self._known]
            is_first = not self._waiting and bool(known)
            self._waiting.update(dict.fromkeys(known))
            return Added(tuple(key for key in keys if key not in self._known), is_first)

    def take(self) -> dict[str, ApplicationSnapshot]:
        """Those who wait, in the order in which they were nudged; those who have left meanwhile are left out."""
        with self._lock:
            wanted = {key: self._known[key] for key in self._waiting if key in self._known}
            self._waiting = {}
            return wanted
