"""The known fleet: the Applications that are scheduled, from Lists and the events between them (``runtime.md`` 3.4).

A List is the truth, but it is as old as its beginning, and a replica's cache may be older still: what an event said
since then, or what has a newer version, stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.ports.fleet import FleetEvent
from updater.schedule.users import RepositoryUsers, Users

Admission = Callable[[ApplicationSnapshot], bool]
"""Whether an Application passes the filters of ``runtime.md`` 3.2."""

ImagesOf = Callable[[ApplicationSnapshot], frozenset[ImageRepository]]
"""The repositories that the image list of an Application names."""


def no_images(snapshot: ApplicationSnapshot) -> frozenset[ImageRepository]:
    """An ``ImagesOf`` where nobody asks who uses a repository."""
    del snapshot
    return frozenset()


@dataclass(frozen=True, slots=True)
class FleetChange:
    """Keys of Applications that came, changed in a way that matters to an update, or left."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.edited or self.removed)


class KnownFleet:
    """Snapshots by key, and who uses a repository. Thread-safe; nothing is called with the lock held."""

    def __init__(self, admits: Admission, images_of: ImagesOf = no_images) -> None:
        self._admits = admits
        self._images_of = images_of
        self._lock = threading.Lock()
        self._known: dict[str, ApplicationSnapshot] = {}
        self._users = RepositoryUsers()
        self._newest = 0
        self._touched: set[str] | None = None
        """Keys of events since a List began; None while none is on its way."""

    def __len__(self) -> int:
        with self._lock:
            return len(self._known)

    def find(self, key: str) -> ApplicationSnapshot | None:
        with self._lock:
            return self._known.get(key)

    def snapshots(self) -> tuple[ApplicationSnapshot, ...]:
        """Everybody, in no order that means anything."""
        with self._lock:
            return tuple(self._known.values())

    def users_of(self, registry: str, name: str) -> Users:
        """The Applications that use a repository (``RepositoryUsers.find``)."""
        with self._lock:
            return self._users.find(registry, name)

    def users_of_same(self, repository: ImageRepository) -> Users:
        """The Applications that use this very repository (``RepositoryUsers.find_same``)."""
        with self._lock:
            return self._users.find_same(repository)

    @property
    def newest_version(self) -> str:
        """The highest version seen, of scheduled Applications and others; empty when none was seen."""
        with self._lock:
            return str(self._newest) if self._newest else ""

    def begin_listing(self) -> None:
        """A List is about to be asked for."""
        with self._lock:
            self._touched = set()

    def drop_listing(self) -> None:
        """It failed: everything stays."""
        with self._lock:
            self._touched = None

    def take_listing(self, snapshots: Iterable[ApplicationSnapshot]) -> FleetChange:
        """The List arrived, complete."""
        listed = {str(each.key): each for each in snapshots}
        admitted = {key: each for key, each in listed.items() if self._admits(each)}
        images = {key: self._images_of(each) for key, each in admitted.items()}
        with self._lock:
            touched = self._touched or set()
            self._touched = None
            self._newest = max(self._newest, *(_version(each) for each in listed.values()), 0)
            return self._merge(listed, admitted, images, touched)

    def take_event(self, event: FleetEvent) -> FleetChange:
        """An Application changed or is gone."""
        snapshot = event.snapshot
        key = str(snapshot.key)
        is_wanted = not event.is_deleted and self._admits(snapshot)
        images = self._images_of(snapshot) if is_wanted else frozenset()
        with self._lock:
            self._newest = max(self._newest, _version(snapshot))
            known = self._known.get(key)
            if known is not None and _version(snapshot) < _version(known):
                return FleetChange()
            if self._touched is not None:
                self._touched.add(key)
            return self._set(key, snapshot, images) if is_wanted else self._remove(key)

    def _merge(
        self,
        listed: dict[str, ApplicationSnapshot],
        admitted: dict[str, ApplicationSnapshot],
        images: dict[str, frozenset[ImageRepository]],
        touched: set[str],
    ) -> FleetChange:
        changes = []
        for key in [key for key in self._known if key not in admitted and key not in touched]:
            seen = listed.get(key)
            if seen is None or _version(seen) >= _version(self._known[key]):
                changes.append(self._remove(key))
        for key, snapshot in admitted.items():
            known = self._known.get(key)
            if key not in touched and (known is None or _version(snapshot) >= _version(known)):
                changes.append(self._set(key, snapshot, images[key]))
        return FleetChange(
            added=tuple(key for change in changes for key in change.added),
            edited=tuple(key for change in changes for key in change.edited),
            removed=tuple(key for change in changes for key in change.removed),
        )

    def _set(self, key: str, snapshot: ApplicationSnapshot, images: frozenset[ImageRepository]) -> FleetChange:
        known = self._known.get(key)
        self._known[key] = snapshot
        self._users.put(key, images)
        if known is None:
            return FleetChange(added=(key,))
        return FleetChange(edited=(key,)) if _is_edited(known, snapshot) else FleetChange()

    def _remove(self, key: str) -> FleetChange:
        self._users.remove(key)
        return FleetChange(removed=(key,)) if self._known.pop(key, None) is not None else FleetChange()


def _is_edited(before: ApplicationSnapshot, after: ApplicationSnapshot) -> bool:
    """Whether an attempt could come out otherwise now; the rest of the status changes at every reconcile."""
    return _relevant(before) != _relevant(after)


def _relevant(snapshot: ApplicationSnapshot) -> tuple[object, ...]:
    return (snapshot.annotations, snapshot.labels, snapshot.layout, snapshot.sources, snapshot.live_images)


def _version(snapshot: ApplicationSnapshot) -> int:
    """The object's version as a number, which is how the API server compares them; 0 for any other text."""
    text = snapshot.resource_version
    return int(text) if text.isascii() and text.isdigit() else 0
