"""The thread that watches: one Watch after the other, with a pause between them (``runtime.md`` 3.4).

A Watch that ends is no failure. What happened until the next one is not told by anybody, so whoever owns this thread
hears of each end and lists.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from updater.clock import Backoff, Clock
from updater.errors import UpdaterError
from updater.ports.fleet import FleetEvent, FleetEvents, FleetFeed
from updater.ports.log import EventLog
from updater.schedule.complaints import Complaints

LONG_ENOUGH_S = 30.0
"""A Watch that lived so long, or told something, was a good one: the next pause is the shortest again."""


def endless_backoff() -> Backoff:
    """From 1 s up to 30 s, jitter included (``runtime.md`` 3.4); ``attempts`` means nothing, nobody gives up here."""
    return Backoff(attempts=0, base_s=1.0, cap_s=23.0)


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """A Watch that is silent for ``idle_s`` may be a dead connection and is opened anew."""

    idle_s: float = 600.0
    pause: Backoff = field(default_factory=endless_backoff)


@dataclass(frozen=True, slots=True)
class WatchHooks:
    """``since`` is the version to go on from; ``take`` gets each event; ``on_end`` hears of each end but the last.

    All are called by the watching thread.
    """

    since: Callable[[], str]
    take: Callable[[FleetEvent], None]
    on_end: Callable[[], None]


class Watcher:
    """Owns the thread and the open Watch."""

    def __init__(self, feed: FleetFeed, hooks: WatchHooks, options: WatchOptions, clock: Clock, log: EventLog) -> None:
        self._feed = feed
        self._hooks = hooks
        self._options = options
        self._clock = clock
        self._log = log
        self._complaints = Complaints("watch_failed", clock, log)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch_forever, name="fleet-watch", daemon=True)
        self._lock = threading.Lock()
        self._events: FleetEvents | None = None
        self._heard_s = 0.0

    def start(self) -> None:
        """Begin to watch; once."""
        self._thread.start()

    def stop(self) -> None:
        """End the Watch, and begin no other. Returns at once; a pause ends when the clock is stopped."""
        self._stopping.set()
        with self._lock:
            events = self._events
        if events is not None:
            events.cancel()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread after ``stop``; False when it still runs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def cut_if_silent(self) -> bool:
        """End a Watch that has told nothing for too long; True when there was one. To be called now and then."""
        with self._lock:
            is_silent = self._clock.monotonic_s() - self._heard_s > self._options.idle_s
            events = self._events if is_silent else None
        if events is None:
            return False
        self._log.debug("watch_silent", seconds=self._options.idle_s)
        events.cancel()
        return True

    def _watch_forever(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            attempt = 0 if self._watch_guarded() else attempt + 1
            pause_s = self._options.pause.delay_s(attempt, self._clock)
            if self._stopping.is_set() or not self._clock.wait_s(pause_s):
                return
            self._hooks.on_end()

    def _watch_guarded(self) -> bool:
        """One Watch; whether it was a good one. The one catching place of this thread."""
        began_s = self._clock.monotonic_s()
        try:
            heard = self._watch_once()
        except UpdaterError as error:
            if not self._stopping.is_set():
                self._complaints.failed(error)
            return False
        except Exception as error:  # noqa: BLE001 - a bug met in one event must not end watching for good
            self._log.error("bug_found", exception=error, error=str(error))
            return False
        lived_s = self._clock.monotonic_s() - began_s
        self._log.debug("watch_ended", events=heard, seconds=round(lived_s, 3))
        if heard == 0 and lived_s < LONG_ENOUGH_S:
            return False
        self._complaints.recovered()
        return True

    def _watch_once(self) -> int:
        """The number of events of one Watch. Raises ``UpdaterError`` when it was refused."""
        events = self._feed.watch_applications(self._hooks.since())
        self._opened(events)
        heard = 0
        try:
            for event in events:
                heard += 1
                self._heard()
                self._hooks.take(event)
        finally:
            with self._lock:
                self._events = None
        return heard

    def _opened(self, events: FleetEvents) -> None:
        with self._lock:
            self._events = events
            self._heard_s = self._clock.monotonic_s()
        if self._stopping.is_set():
            events.cancel()

    def _heard(self) -> None:
        with self._lock:
            self._heard_s = self._clock.monotonic_s()
