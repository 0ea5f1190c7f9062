"""Where Applications come from and where their overrides are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from updater.clock import Deadline
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import OverrideLists


class FleetSource(Protocol):
    """The Applications that the token may see."""

    def fetch_applications(self, deadline: Deadline) -> tuple[ApplicationSnapshot, ...]:
        """All of them, or an error: never a part. Raises ``ArgoCDError``."""


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """Something happened to an Application; of a deleted one, ``snapshot`` is the last that was known."""

    snapshot: ApplicationSnapshot
    is_deleted: bool = False


class FleetEvents(Protocol):
    """One open Watch. Read by one thread; ``cancel`` from any."""

    def __iter__(self) -> Iterator[FleetEvent]:
        """Events until the stream ends, also when it is cut. Raises ``ArgoCDError`` when it was refused."""

    def cancel(self) -> None:
        """End the stream soon; a reader sees it end. A stream that nobody reads yet ends when it is read."""


class FleetFeed(Protocol):
    """Changes of the fleet as they happen: a hint, because a feed may lose events (``argocd-api.md`` 7.3)."""

    def watch_applications(self, since_version: str) -> FleetEvents:
        """Changes of objects of ``since_version`` or later; empty: first everything that exists, then changes.

        What happened while nobody watched is not told. Raises ``ConfigurationError`` when the token cannot be read.
        """


@dataclass(frozen=True, slots=True)
class FreshApplication:
    """An Application read for writing: the copy to decide on, and the store's own handle on what it read."""

    snapshot: ApplicationSnapshot
    handle: object


class OverrideStore(Protocol):
    """Reads one Application afresh and stores the override list of one of its sources."""

    def fetch_fresh(self, key: ApplicationKey, project: str, deadline: Deadline) -> FreshApplication:
        """Read past every cache. Raises ``ArgoCDError``."""

    def store_overrides(
        self, fresh: FreshApplication, before: OverrideLists, after: OverrideLists, deadline: Deadline
    ) -> OverrideLists:
        """Write ``after`` over ``before`` into what ``fresh`` holds; returns the lists the server answered with.

        Everything else in the spec is sent back as it was read. Raises ``ArgoCDConflict`` when somebody else wrote
        meanwhile, ``ArgoCDUnavailable`` or ``ArgoCDTimeout`` when the outcome is unknown, other ``ArgoCDError``.
        """
