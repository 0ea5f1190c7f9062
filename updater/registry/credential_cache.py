"""Credentials that were fetched, kept until they expire and renewed before that (``registries.md`` 2.5).

One fetch at a time per key, whoever asks. At 80 % of the lifetime a fetch begins in the background while the old value
keeps serving. A failure is remembered for a moment, so that a fleet does not run a broken script once per image.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from updater.clock import Clock, Deadline
from updater.errors import UpdaterError
from updater.ports.log import EventLog
from updater.registry.credential_values import Lease
from updater.registry.flights import SingleFlight

MAX_KEPT = 10_000
REFRESH_AT = 0.8
RENEW_S = 60.0
"""The least time between two fetches because a registry refused what was kept."""
FAILURE_S = 30.0
"""How long a failure is believed: longer than a script may take, shorter than a round."""
BACKGROUND_TIMEOUT_S = 60.0

V = TypeVar("V")
Fetch = Callable[[Deadline], Lease[V]]
Start = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    """A value with moments on the monotonic clock. ``refresh_at_s``: from then on it is renewed in the background."""

    value: V
    fetched_at_s: float
    refresh_at_s: float
    expires_at_s: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: UpdaterError
    until_s: float


class LeaseCache(Generic[V]):
    """Values by key. Thread-safe; nothing is fetched while its lock is held.

    ``start`` runs a function in the background and returns at once.
    """

    def __init__(self, clock: Clock, log: EventLog, start: Start) -> None:
        self._clock = clock
        self._log = log
        self._start = start
        self._lock = threading.Lock()
        self._flights: SingleFlight[V] = SingleFlight()
        self._kept: LRUCache[Hashable, _Kept[V]] = LRUCache(MAX_KEPT)
        self._failures: LRUCache[Hashable, _Failure] = LRUCache(MAX_KEPT)
        self._refreshing: set[Hashable] = set()

    def get(self, key: Hashable, deadline: Deadline, fetch: Fetch[V]) -> V:
        """The value, fetched when there is none; raises what ``fetch`` raises, or raised a moment ago."""
        kept = self._current(key)
        if kept is None:
            self._raise_failure(key)
            return self._flights.fetch(key, deadline, lambda: self._load(key, deadline, fetch))
        if self._clock.monotonic_s() >= kept.refresh_at_s:
            self._refresh(key, fetch)
        return kept.value

    def renew(self, key: Hashable, deadline: Deadline, fetch: Fetch[V]) -> V:
        """The value fetched anew, or the kept one when it is younger than a minute."""
        kept = self._current(key)
        if kept is not None and self._clock.monotonic_s() < kept.fetched_at_s + RENEW_S:
            return kept.value
        self._raise_failure(key)
        return self._flights.fetch(key, deadline, lambda: self._fetch(key, deadline, fetch))

    def _current(self, key: Hashable) -> _Kept[V] | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept if kept is not None and self._clock.monotonic_s() < kept.expires_at_s else None

    def _raise_failure(self, key: Hashable) -> None:
        with self._lock:
            failure = self._failures.get(key)
        if failure is not None and self._clock.monotonic_s() < failure.until_s:
            raise failure.error.with_traceback(None)

    def _load(self, key: Hashable, deadline: Deadline, fetch: Fetch[V]) -> V:
        """As ``_fetch``, unless another flight landed since the caller looked."""
        kept = self._current(key)
        return self._fetch(key, deadline, fetch) if kept is None else kept.value

    def _fetch(self, key: Hashable, deadline: Deadline, fetch: Fetch[V]) -> V:
        try:
            lease = fetch(deadline)
        except UpdaterError as error:
            # A caller without time says nothing about the source.
            if not deadline.has_passed:
                with self._lock:
                    self._failures[key] = _Failure(error, self._clock.monotonic_s() + FAILURE_S)
            raise
        now = self._clock.monotonic_s()
        lifetime_s = float("inf") if lease.lifetime_s is None else lease.lifetime_s
        with self._lock:
            self._kept[key] = _Kept(lease.value, now, now + REFRESH_AT * lifetime_s, now + lifetime_s)
        return lease.value

    def _refresh(self, key: Hashable, fetch: Fetch[V]) -> None:
        """Renew in the background, unless that is going on or failed a moment ago."""
        with self._lock:
            failure = self._failures.get(key)
            has_failed = failure is not None and self._clock.monotonic_s() < failure.until_s
            if has_failed or key in self._refreshing:
                return
            self._refreshing.add(key)
        try:
            self._start(lambda: self._refresh_now(key, fetch))
        except RuntimeError:
            # The pool is shut down, and with it the process: what is kept serves until its end.
            self._done(key)

    def _refresh_now(self, key: Hashable, fetch: Fetch[V]) -> None:
        deadline = Deadline.after(self._clock, BACKGROUND_TIMEOUT_S)
        try:
            self._flights.fetch(key, deadline, lambda: self._fetch(key, deadline, fetch))
        except UpdaterError as error:
            self._log.warning("credentials_refresh_failed", error=str(error), code=error.code)
        except Exception as error:  # noqa: BLE001 - a bug, and nobody waits for this thread to tell
            self._log.error("credentials_refresh_broken", exception=error)
        finally:
            self._done(key)

    def _done(self, key: Hashable) -> None:
        with self._lock:
            self._refreshing.discard(key)


class BackgroundThreads:
    """Runs refreshes on two threads of its own, made on first use; ``close`` begins nothing new."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="credentials")

    def start(self, work: Callable[[], None]) -> None:
        """Run the work soon; raises ``RuntimeError`` after ``close``."""
        self._pool.submit(work)

    def close(self) -> None:
        """Drop what has not begun. What runs ends by its own deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)
