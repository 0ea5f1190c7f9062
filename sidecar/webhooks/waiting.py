"""The events that wait to be handed on: one per repository, in the order in which they came (``runtime.md`` 7.6).

A push of an image for several platforms, or with several tags, is a row of events within a second. The first is handed
on at once; those that follow within ``COALESCE_S`` become one, which waits for the end of that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from updater.ports.nudges import PushEvent

MAX_WAITING = 1_000
"""Repositories with a waiting event; more are dropped, so that a flood costs a few hundred kilobytes at most."""

COALESCE_S = 2.0
"""``registries.md`` 6.5."""

_Repository = tuple[str, str]


class Put(Enum):
    """What became of an event, by the word that is counted."""

    QUEUED = "queued"
    MERGED = "merged"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: PushEvent
    ready_s: float


class WaitingEvents:
    """Not thread-safe: its owner holds a lock around it. Seconds are monotonic."""

    def __init__(self, limit: int = MAX_WAITING, coalesce_s: float = COALESCE_S) -> None:
        self._limit = limit
        self._coalesce_s = coalesce_s
        self._waiting: dict[_Repository, _Waiting] = {}
        self._taken_s: dict[_Repository, float] = {}
        """When an event of a repository was last handed on; of the last ``coalesce_s`` only."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: PushEvent, now_s: float) -> Put:
        """Wait with the others. Of two events about a repository the first stays: nobody acts on what they say."""
        repository = (event.registry, event.repository)
        if repository in self._waiting:
            return Put.MERGED
        if len(self._waiting) >= self._limit:
            return Put.DROPPED
        taken_s = self._taken_s.get(repository)
        ready_s = now_s if taken_s is None else max(now_s, taken_s + self._coalesce_s)
        self._waiting[repository] = _Waiting(event, ready_s)
        return Put.QUEUED

    def take(self, now_s: float, *, is_last_call: bool = False) -> PushEvent | None:
        """The oldest event that is ready, None when there is none; at the last call every event is ready."""
        self._forget_taken(now_s)
        for repository, waiting in self._waiting.items():
            if is_last_call or waiting.ready_s <= now_s:
                del self._waiting[repository]
                self._taken_s.pop(repository, None)
                self._taken_s[repository] = now_s
                return waiting.event
        return None

    def next_s(self) -> float | None:
        """When the next event is ready, None when none waits."""
        return min((waiting.ready_s for waiting in self._waiting.values()), default=None)

    def _forget_taken(self, now_s: float) -> None:
        """The oldest stand first, so this looks at no more than it forgets."""
        while self._taken_s:
            repository = next(iter(self._taken_s))
            if self._taken_s[repository] + self._coalesce_s > now_s:
                return
            del self._taken_s[repository]
