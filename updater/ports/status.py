"""What the outside may know of the process: whether it is healthy, and what it did for every Application.

Texts are redacted, and as hostile as their owners are: whoever shows them escapes them. Moments are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from updater.model.applications import ApplicationKey


class ProcessHealth(Protocol):
    """Asked by probes, from any thread; answers at once."""

    @property
    def is_out_of_ports(self) -> bool:
        """Whether outgoing connections fail because the machine has no local port left, so that a restart helps."""

    def why_not_ready(self) -> str:
        """Why the process does not do its work now, one line; empty when it does."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of ``runtime.md`` 3.7."""

    considered: int = 0
    skipped: int = 0
    updated: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """What was last decided for one image. ``current`` and ``wanted`` are tags with digests, empty for none.

    ``reason`` is a value of ``updater.model.images.Reason``; ``tags`` counts those looked at, None when none could be.
    """

    alias: str
    image: str
    current: str
    wanted: str
    reason: str
    strategy: str
    constraint: str
    problem: str = ""
    code: str = ""
    tags: int | None = None


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """What came of the latest write: ``outcome`` is a value of ``updater.model.changes.WriteOutcome``.

    ``pull_request`` is the address of a page, ``warning`` what went wrong with it.
    """

    outcome: str
    commit: str = ""
    pull_request: str = ""
    code: str = ""
    error: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """The latest write that was carried out; later reports keep it. ``images`` are triples: image, old tag, new tag."""

    at: float
    images: tuple[tuple[str, str, str], ...]
    commit: str = ""
    pull_request: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationStatus:
    """The latest report of one Application; one that was never attempted has no ``attempted_at``.

    ``reasons`` are those of its images, sorted, and beside them ``pending``, ``write_failed`` or
    ``application_failed`` where that is the case. ``search_text`` is what a search looks at, in lower case.
    """

    key: ApplicationKey
    reasons: tuple[str, ...]
    search_text: str
    attempted_at: float | None = None
    succeeded_at: float | None = None
    counts: Counts = Counts()
    images: tuple[ImageStatus, ...] = ()
    write: WriteStatus | None = None
    last_update: UpdateStatus | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Why the winner of one image won: rows as commands print them, nearest first, and what is missing of them.

    ``left_out`` counts rows beyond the limit; ``by_loss`` counts all that lost by their reason. ``are_known`` is False
    when they are not held any more, or never were.
    """

    rows: tuple[Mapping[str, object], ...] = ()
    left_out: int = 0
    by_loss: tuple[tuple[str, int], ...] = ()
    are_known: bool = True


@dataclass(frozen=True, slots=True)
class ApplicationDetail:
    """One Application; ``candidates`` are in the order of its images."""

    status: ApplicationStatus
    candidates: tuple[Candidates, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """Which Applications: with ``reason``, with ``search`` in lower case somewhere, after the key ``after``."""

    reason: str = ""
    search: str = ""
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Applications in the order of their keys. ``matching`` counts all that fit, ``total`` the whole fleet.

    ``next_after`` is the key that the next page comes after, empty on the last. ``by_reason`` counts the fleet.
    """

    items: tuple[ApplicationStatus, ...]
    matching: int
    total: int
    next_after: str
    by_reason: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class CycleStatus:
    """One cycle, or one interval of continuous mode. ``by_reason`` counts images."""

    ended_at: float
    seconds: float
    applications: int
    counts: Counts
    by_reason: tuple[tuple[str, int], ...]
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the Applications cannot be listed, so that nothing is looked at afresh; ``since`` the first such failure."""

    since: float
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How the process works: ``mode`` is ``cycle`` or ``continuous``; interval 0 is one round."""

    mode: str = "cycle"
    interval_s: float = 0.0
    is_dry_run: bool = False


class StatusReader(Protocol):
    """Read by any thread; never slow, never changed by reading."""

    @property
    def rhythm(self) -> Rhythm: ...

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the process from its work now, None when nothing does."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def list_applications(self, query: StatusQuery) -> StatusPage: ...

    def find_application(self, key: ApplicationKey) -> ApplicationDetail | None: ...

    def due_at(self, status: ApplicationStatus) -> float | None:
        """When it is looked at next; None when that is now, or never."""

    def cycles(self) -> tuple[CycleStatus, ...]:
        """The latest ones, latest first."""
