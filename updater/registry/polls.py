"""One poll for all Applications that use a repository: recent tag lists, and calls in progress, shared by key.

Keys hold the credentials' id, so different credentials never share (``registries.md`` 5.3, 6.3). Failures that a moment
would not mend are remembered at least as long as lists are, and longer each time that a repository is missing (4.1);
refused credentials are the matter of ``updater.registry.refusals``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cachetools import LRUCache, TLRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryAuthError, RegistryError, RepositoryUnknown
from updater.registry.failures import may_be_repeated
from updater.registry.flights import SingleFlight
from updater.registry.listing import Listing
from updater.registry.measures import RegistryMeasures
from updater.transport.trust import TlsOptions

MAX_POLLS = 20_000
MAX_KEPT_TAGS = 5_000_000
"""Tag names kept in all lists together, about 350 MB: a list counts as many as it has, at least one."""
MAX_UNKNOWN_S = 30 * 60.0
"""How long it is believed at most that there is no such repository."""
_PASSING_CODES = frozenset({"cancelled", "token_unavailable", "registry_silent"})


@dataclass(frozen=True, slots=True)
class PollKey:
    """What a tag list, or what is known of its tags, belongs to: the list's URL, who saw it, and how sure they were of
    whom they asked. ``registry`` is the API URL, for measurements.
    """

    tags_url: str
    credentials_id: str
    tls: TlsOptions = field(default_factory=TlsOptions)
    registry: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``error`` in place of tags; ``until_s`` is on the monotonic clock."""

    until_s: float
    tags: tuple[str, ...] = ()
    error: RegistryError | None = None


@dataclass(frozen=True, slots=True)
class _Trace:
    """What is left of a list that was thrown away: enough to tell another one."""

    count: int
    fingerprint: int


class SharedPolls:
    """Tag lists by key, for ``share_s`` seconds. Thread-safe; the lock is never held during a poll."""

    def __init__(self, clock: Clock, share_s: float, measures: RegistryMeasures | None = None) -> None:
        self._clock = clock
        self._share_s = share_s
        self._measures = measures or RegistryMeasures()
        self._lock = threading.Lock()
        self._flights: SingleFlight[tuple[str, ...]] = SingleFlight("tags", self._measures)
        self._forgotten = 0
        self._editions: LRUCache[str, int] = LRUCache(MAX_POLLS)
        """How often each list was forgotten, by its URL: who comes after that must not join a poll from before it."""
        self._last: LRUCache[PollKey, _Trace] = LRUCache(MAX_POLLS)
        self._failures: LRUCache[PollKey, int] = LRUCache(MAX_POLLS)
        self._recent: TLRUCache[PollKey, _Outcome] = TLRUCache(
            MAX_KEPT_TAGS, _expiry, timer=clock.monotonic_s, getsizeof=_weight
        )

    def fetch(
        self,
        key: PollKey,
        deadline: Deadline,
        poll: Callable[[], Listing],
        when_changed: Callable[[], None] = lambda: None,
        before_asking: Callable[[], None] = lambda: None,
    ) -> tuple[str, ...]:
        """The tags of a recent, running or new poll; raises ``RegistryError``.

        ``before_asking`` may raise one in place of a wait for a poll, running or new.
        ``when_changed`` is called in the thread of the one caller whose poll found other tags than the poll before it.
        """
        is_leader = is_changed = False

        def lead() -> tuple[str, ...]:
            nonlocal is_leader, is_changed
            is_leader = True
            # Again within the flight: who looked before another flight landed would poll once more.
            recent = self._recall(key)
            if recent is not None:
                return recent
            tags, is_changed = self._poll(key, poll)
            return tags

        recent = self._recall(key)
        if recent is None:
            before_asking()
        tags = self._flights.fetch((key, self._edition(key)), deadline, lead) if recent is None else recent
        if not is_leader:
            self._measures.tags_wanted(key.registry, "shared")
        if is_changed:
            when_changed()
        return tags

    def share_for(self, share_s: float) -> None:
        """Keep lists for so long from now on; those that are kept are given up."""
        with self._lock:
            self._share_s = share_s
            self._recent.clear()

    def forget(self, tags_url: str) -> None:
        """The repository has changed: the next caller polls, and polls now in progress are not kept."""
        with self._lock:
            self._forgotten += 1
            self._editions[tags_url] = self._forgotten
            for key in [key for key in self._recent if key.tags_url == tags_url]:
                self._recent.pop(key, None)

    def _edition(self, key: PollKey) -> int:
        with self._lock:
            return self._editions.get(key.tags_url, 0)

    def _recall(self, key: PollKey) -> tuple[str, ...] | None:
        with self._lock:
            outcome = self._recent.get(key)
        if outcome is None:
            return None
        if outcome.error is not None:
            raise outcome.error.with_traceback(None)
        return outcome.tags

    def _poll(self, key: PollKey, poll: Callable[[], Listing]) -> tuple[tuple[str, ...], bool]:
        """The tags, and whether they are others than last time; the first time says nothing."""
        with self._lock:
            forgotten_before, last = self._forgotten, self._last.get(key)
        try:
            listing = poll()
            if last is not None and len(listing.tags) * 2 < last.count:
                # Selection takes the best of what is listed: a list cut short would look like a reason to go back.
                listing = poll()
        except RegistryError as error:
            self._measures.tags_wanted(key.registry, "failed")
            self._keep_failure(key, error, forgotten_before)
            raise
        self._measures.tags_wanted(key.registry, "not_modified" if listing.is_unchanged else "fetched")
        with self._lock:
            self._failures.pop(key, None)
            self._last[key] = trace = _Trace(len(listing.tags), hash(frozenset(listing.tags)))
        until_s = self._clock.monotonic_s() + self._share_s
        self._keep(key, _Outcome(until_s, tags=listing.tags), forgotten_before)
        return listing.tags, last is not None and last != trace

    def _keep_failure(self, key: PollKey, error: RegistryError, forgotten_before: int) -> None:
        if may_be_repeated(error, 1) or error.code in _PASSING_CODES or isinstance(error, RegistryAuthError):
            return
        with self._lock:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = _believed_s(error, failures, self._share_s)
        self._keep(key, _Outcome(self._clock.monotonic_s() + seconds, error=error), forgotten_before)

    def _keep(self, key: PollKey, outcome: _Outcome, forgotten_before: int) -> None:
        with self._lock:
            if self._share_s > 0 and self._forgotten == forgotten_before:
                self._recent[key] = outcome


def _believed_s(error: RegistryError, failures: int, share_s: float) -> float:
    """How long a failure is believed that came for the so-manieth time in a row."""
    doubled = 2.0 ** min(failures - 1, 30)
    if isinstance(error, RepositoryUnknown):
        return max(share_s, min(MAX_UNKNOWN_S, share_s * doubled))
    return share_s


def _expiry(_key: PollKey, outcome: _Outcome, _now: float) -> float:
    return outcome.until_s


def _weight(outcome: _Outcome) -> int:
    return len(outcome.tags) + MAX_KEPT_TAGS // MAX_POLLS
