"""One poll for all Applications that use a repository: recent tag lists, and calls in progress, shared by key.

Keys hold the credentials' id, so different credentials never share (``registries.md`` 5.3, 6.3). Failures that a moment
would not mend are remembered as long as lists are, so that one bad repository is asked about once a round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cachetools import TTLCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryError
from updater.registry.failures import may_be_repeated
from updater.registry.flights import SingleFlight
from updater.transport.trust import TlsOptions

MAX_POLLS = 20_000
MAX_KEPT_TAGS = 5_000_000
"""Tag names kept in all lists together, about 350 MB: a list counts as many as it has, at least one."""


@dataclass(frozen=True, slots=True)
class PollKey:
    """What a tag list, or what is known of its tags, belongs to: the list's URL, who saw it, and how sure they were of
    whom they asked.
    """

    tags_url: str
    credentials_id: str
    tls: TlsOptions = field(default_factory=TlsOptions)


_Outcome = tuple[str, ...] | RegistryError


class SharedPolls:
    """Tag lists by key, for ``share_s`` seconds. Thread-safe; the lock is never held during a poll."""

    def __init__(self, clock: Clock, share_s: float) -> None:
        self._share_s = share_s
        self._lock = threading.Lock()
        self._flights: SingleFlight[tuple[str, ...]] = SingleFlight()
        self._forgotten = 0
        self._recent: TTLCache[PollKey, _Outcome] = TTLCache(
            MAX_KEPT_TAGS, share_s, timer=clock.monotonic_s, getsizeof=_weight
        )

    def fetch(self, key: PollKey, deadline: Deadline, poll: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """The tags of a recent, running or new poll; raises ``RegistryError``."""
        # Looking into memory is part of the flight: who looked before another flight landed would poll once more.
        return self._flights.fetch(key, deadline, lambda: self._recall_or_poll(key, poll))

    def forget(self, tags_url: str) -> None:
        """The repository has changed: the next caller polls, and polls now in progress are not kept."""
        with self._lock:
            self._forgotten += 1
            for key in [key for key in self._recent if key.tags_url == tags_url]:
                self._recent.pop(key, None)

    def _recall_or_poll(self, key: PollKey, poll: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        recent = self._recall(key)
        if recent is not None:
            return recent
        with self._lock:
            forgotten_before = self._forgotten
        outcome: _Outcome
        try:
            outcome = poll()
        except RegistryError as error:
            if not may_be_repeated(error, 1) and error.code not in {"cancelled", "token_unavailable"}:
                self._keep(key, error, forgotten_before)
            raise
        self._keep(key, outcome, forgotten_before)
        return outcome

    def _recall(self, key: PollKey) -> tuple[str, ...] | None:
        with self._lock:
            outcome = self._recent.get(key)
        if isinstance(outcome, RegistryError):
            raise outcome.with_traceback(None)
        return outcome

    def _keep(self, key: PollKey, outcome: _Outcome, forgotten_before: int) -> None:
        with self._lock:
            if self._share_s > 0 and self._forgotten == forgotten_before:
                self._recent[key] = outcome


def _weight(outcome: _Outcome) -> int:
    return len(outcome) + MAX_KEPT_TAGS // MAX_POLLS if isinstance(outcome, tuple) else MAX_KEPT_TAGS // MAX_POLLS
