"""Follows the fleet: one List, then Watch, and a List now and then for what Watch missed (``runtime.md`` 3.4).

Lists run as a job, Watch in a thread of its own. After a cut Watch goes on from the last version that was seen, and a
List finds what happened in between; cuts that follow each other share one List per interval.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from updater.clock import Clock, Deadline
from updater.engine.emptiness import FleetEmptiness
from updater.errors import UpdaterError
from updater.model.applications import ApplicationSnapshot
from updater.ports.fleet import FleetEvent, FleetFeed, FleetSource
from updater.ports.log import EventLog
from updater.schedule.complaints import Complaints, Listener, nobody_hears
from updater.schedule.fleet import FleetChange, KnownFleet
from updater.schedule.watching import Watcher, WatchHooks, WatchOptions, endless_backoff

LIST_TIMEOUT_S = 600.0
"""For all Lists of a fleet in shards; each call has a shorter limit of its own."""

SETTLE_S = 1.0
"""Between opening a Watch and the List that checks it: by then the server has subscribed us."""


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """``relist_s``: between two Lists when nothing happens; ``least_gap_s``: between two that cuts ask for.

    A first List that fails is repeated every ``first_retry_s`` for ``first_phase_s`` (``runtime.md`` 8.9); then, and
    when later ones fail, the pauses grow up to 30 s.
    """

    relist_s: float = 600.0
    least_gap_s: float = 120.0
    first_retry_s: float = 5.0
    first_phase_s: float = 60.0
    watch: WatchOptions = field(default_factory=WatchOptions)


@dataclass(frozen=True, slots=True)
class FollowHooks:
    """``on_change`` gets every change of the fleet, one at a time and in order, and must not call back.

    ``plan_list`` has ``list_once`` called so many seconds from now, in place of an earlier plan. ``on_trouble`` hears
    why a List failed, and None when one came.
    """

    on_change: Callable[[FleetChange], None]
    plan_list: Callable[[float], None]
    on_trouble: Listener = nobody_hears


@dataclass(frozen=True, slots=True)
class FleetAccess:
    """The two ways to learn of Applications."""

    source: FleetSource
    feed: FleetFeed


class FleetFollower:
    """Keeps a ``KnownFleet`` up to date. ``list_once`` may be called from any thread; the first good one starts Watch.

    Times of Lists are moments on the monotonic clock, None for "none yet".
    """

    def __init__(
        self,
        access: FleetAccess,
        fleet: KnownFleet,
        options: FollowOptions,
        hooks: FollowHooks,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._source = access.source
        self._fleet = fleet
        self._options = options
        self._hooks = hooks
        self._clock = clock
        self._log = log
        self._emptiness = FleetEmptiness(log)
        self._complaints = Complaints("fleet_unreadable", clock, log, hooks.on_trouble)
        watch_hooks = WatchHooks(lambda: fleet.newest_version, self._take_event, self._want_list)
        self._watcher = Watcher(access.feed, watch_hooks, options.watch, clock, log)
        self._pause = endless_backoff()
        self._stopping = threading.Event()
        self._listing = threading.Lock()
        # Held around a change and its hook, so that the hook sees changes in the order in which they happened.
        self._changing = threading.Lock()
        # Held around a plan and its hook, so that the latest plan is the one that was told last.
        self._planning = threading.Lock()
        # Of the fields below; nothing is called while it is held.
        self._lock = threading.Lock()
        self._began_s = clock.monotonic_s()
        self._listed_s: float | None = None
        self._planned_s: float | None = None
        self._is_list_wanted = False
        self._failures = 0

    @property
    def listed_s(self) -> float | None:
        """When the latest good List ended."""
        with self._lock:
            return self._listed_s

    def list_once(self) -> None:
        """List, tell of the changes, plan the next List. While another List runs, that one plans the next."""
        if self._stopping.is_set() or not self._listing.acquire(blocking=False):
            return
        try:
            with self._lock:
                self._planned_s = None
                self._is_list_wanted = False
            is_good = self._list_guarded()
            pause_s = self._after_success() if is_good else self._after_failure()
        finally:
            self._listing.release()
        self._plan_next(pause_s, is_good=is_good)

    def keep_apart(self, least_gap_s: float) -> None:
        """Another ``least_gap_s`` from the next cut on."""
        with self._lock:
            self._options = replace(self._options, least_gap_s=least_gap_s)

    def stop(self) -> None:
        """End Watch, and begin nothing new. Returns at once."""
        self._stopping.set()
        self._watcher.stop()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread of Watch after ``stop``; False when it still runs."""
        return self._watcher.join(timeout_s)

    def _list_guarded(self) -> bool:
        """Whether the List came and was taken; the one catching place of Lists."""
        self._fleet.begin_listing()
        try:
            snapshots = self._source.fetch_applications(Deadline.after(self._clock, LIST_TIMEOUT_S))
            self._take_listing(snapshots)
        except UpdaterError as error:
            if not self._stopping.is_set():
                self._complaints.failed(error)
        except Exception as error:  # noqa: BLE001 - a bug met in one List must not be the end of all
            self._log.error("bug_found", exception=error, error=str(error))
        else:
            self._complaints.recovered()
            return True
        self._fleet.drop_listing()
        return False

    def _take_listing(self, snapshots: tuple[ApplicationSnapshot, ...]) -> None:
        with self._changing:
            self._hooks.on_change(self._fleet.take_listing(snapshots))
        watched = len(self._fleet)
        self._log.debug("applications_listed", count=len(snapshots), watched=watched)
        self._emptiness.look(len(snapshots), watched)

    def _take_event(self, event: FleetEvent) -> None:
        with self._changing:
            change = self._fleet.take_event(event)
            if not change.is_empty:
                self._hooks.on_change(change)

    def _after_success(self) -> float:
        """Seconds until the next List."""
        with self._lock:
            is_first = self._listed_s is None
            self._listed_s = self._clock.monotonic_s()
            self._failures = 0
        if is_first:
            self._watcher.start()
        else:
            self._watcher.cut_if_silent()
        return self._options.relist_s

    def _after_failure(self) -> float:
        """Seconds until the next attempt."""
        with self._lock:
            attempt = self._failures
            self._failures += 1
            is_first = self._listed_s is None
        waited_s = self._clock.monotonic_s() - self._began_s
        if is_first and waited_s + self._options.first_retry_s <= self._options.first_phase_s:
            return self._options.first_retry_s
        return self._pause.delay_s(attempt, self._clock)

    def _plan_next(self, pause_s: float, *, is_good: bool) -> None:
        with self._planning:
            with self._lock:
                if is_good and self._is_list_wanted:
                    pause_s = min(pause_s, self._options.least_gap_s)
                self._planned_s = self._clock.monotonic_s() + pause_s
            self._tell(pause_s)

    def _want_list(self) -> None:
        """After a cut: as soon as the last List is one interval old. A List that began before it does not count."""
        with self._planning:
            now_s = self._clock.monotonic_s()
            with self._lock:
                self._is_list_wanted = True
                gap_over_s = now_s if self._listed_s is None else self._listed_s + self._options.least_gap_s
                due_s = max(now_s + SETTLE_S, gap_over_s)
                # Without a plan a List is running, and sees the wish when it plans the next one.
                if self._planned_s is None or self._planned_s <= due_s:
                    return
                self._planned_s = due_s
            self._tell(due_s - now_s)

    def _tell(self, pause_s: float) -> None:
        if not self._stopping.is_set():
            self._hooks.plan_list(pause_s)
