"""Continuous mode: each Application on its own interval, as the fleet comes and goes (``runtime.md`` 3.4).

Shutdown order (3.10): jobs stop, then Watch, then the dispatcher; what runs is waited for, up to the
deadline that all steps of the end share; then ``run`` returns, and its caller flushes writers and closes connections.
Pauses of Watch end when the clock is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from updater.clock import Clock, Countdown, Deadline
from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.schedule.attempts import Attempts, ProcessOne
from updater.schedule.dispatcher import Dispatcher, DispatchHooks, Offer
from updater.schedule.fleet import Admission, FleetChange, ImagesOf, KnownFleet, no_images
from updater.schedule.follower import LIST_TIMEOUT_S, FleetAccess, FleetFollower, FollowHooks, FollowOptions
from updater.schedule.jobs import Jobs
from updater.schedule.options import ScheduleOptions
from updater.schedule.passes import SkipReason
from updater.schedule.repositories import cap_repository
from updater.schedule.rounds import RoundHooks, warm_up
from updater.schedule.tickets import Tickets
from updater.schedule.users import Users

FLEET_LIST_JOB = "fleet-list"
SUMMARY_JOB = "summary"

MOST_JITTER_S = 1.0
"""Added to each interval, so that a fleet that began at one moment drifts apart; it never shortens a period."""

_WAKE_S = 60.0


@dataclass(frozen=True, slots=True)
class ContinuousParts:
    """What continuous mode works with. Workers call ``process`` side by side; two threads call ``admits``.

    ``is_polling`` False leaves out the intervals: only what is nudged is attempted (the command ``webhook``).
    """

    access: FleetAccess
    admits: Admission
    process: ProcessOne
    hooks: RoundHooks
    follow: FollowOptions
    images_of: ImagesOf = no_images
    is_polling: bool = True


class ContinuousRunner:
    """Runs until ``stop``, which may come from any thread or a signal handler. ``run`` once.

    ``end`` is by when workers that are busy must have ended; whoever stops the process starts it.
    """

    def __init__(
        self,
        parts: ContinuousParts,
        options: ScheduleOptions,
        end: Countdown,
        metrics: Metrics,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._parts = parts
        self._options = options
        self._countdown = end
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._stopped = threading.Event()
        self._fleet = KnownFleet(parts.admits, parts.images_of)
        self.tickets = Tickets()
        self._attempts = Attempts(self._fleet, parts.process, metrics, clock, log, self.tickets.counted)
        self._jobs = Jobs(clock)
        hooks = DispatchHooks(self._work, self._dispatched, self._skipped, self._fleet.__len__)
        self._dispatcher = Dispatcher(options, hooks, clock, log)
        follow_hooks = FollowHooks(self._fleet_changed, self._plan_list, parts.hooks.on_trouble)
        follow_log = log.bind(**parts.hooks.server_fields)
        self._follower = FleetFollower(parts.access, self._fleet, parts.follow, follow_hooks, clock, follow_log)

    @property
    def fleet(self) -> KnownFleet:
        """The Applications that are scheduled, for whoever matches events to them."""
        return self._fleet

    @property
    def listed_s(self) -> float | None:
        """When the fleet was last listed, on the monotonic clock; None before the first time."""
        return self._follower.listed_s

    @property
    def fleet_size(self) -> int:
        """The Applications that are scheduled."""
        return len(self._fleet)

    @property
    def ended_s(self) -> float | None:
        """When an attempt or a part of one last ended, on the monotonic clock; None before the first time."""
        return self._attempts.ended_s

    def note_work(self) -> None:
        """Something in an attempt that runs has been done: it may take longer than readiness has patience."""
        self._attempts.note_work()

    def run(self) -> bool:
        """False when workers were still busy at the deadline of the shutdown.

        With interval 0 everything is attempted once; then a fleet that cannot be listed raises ``ArgoCDError``.
        """
        warm_up(self._parts.hooks, self._log)
        if self._options.interval_s <= 0 and self._parts.is_polling:
            return self._run_once()
        self._dispatcher.start()
        self._jobs.start()
        self._jobs.run_after(FLEET_LIST_JOB, 0.0, self._follower.list_once)
        if self._parts.is_polling:
            self._jobs.run_after(SUMMARY_JOB, self._options.interval_s, self._summarise)
        while not self._stopped.wait(_WAKE_S):
            pass
        self._jobs.stop()
        self._follower.stop()
        return self._end()

    def stop(self) -> None:
        """Let ``run`` end. Returns at once."""
        self._stopped.set()
        # Ends the wait of a run with interval 0 too.
        self._dispatcher.stop()

    def change_interval(self, interval_s: float) -> None:
        """Another period for every Application; who waits for longer is offered within two of them. Any thread."""
        self._options = replace(self._options, interval_s=interval_s)
        self._dispatcher.reconfigure(self._options)
        self._follower.keep_apart(interval_s)
        for snapshot in self._fleet.snapshots():
            key = str(snapshot.key)
            waiting_s = self._jobs.next_offer_s(key)
            if waiting_s is not None and waiting_s > interval_s:
                # Not before the interval is over, or the offer would be refused; spread, for there may be thousands.
                self._jobs.postpone(key, interval_s + self._clock.uniform(0.0, interval_s))

    def parked(self, key: str) -> AbstractContextManager[None]:
        """For the time of a ``with`` block the attempt at an Application takes up no worker."""
        return self._dispatcher.parked(key)

    def nudge(self, keys: Iterable[str]) -> int:
        """Have Applications attempted as soon as a worker is free; the number of those that are in the fleet.

        One that runs is attempted once more when it ends, however often it was nudged.
        """
        offers: list[Offer] = []
        for key in keys:
            snapshot = self._fleet.find(key)
            if snapshot is None:
                self.tickets.gone(key)
            else:
                offers.append(self._offer_of(snapshot, is_nudged=True))
        self._dispatcher.offer(offers)
        return len(offers)

    def users_of(self, registry: str, name: str) -> Users:
        """The Applications that use a repository."""
        return self._fleet.users_of(registry, name)

    def users_of_same(self, repository: ImageRepository) -> Users:
        """The Applications that use this very repository."""
        return self._fleet.users_of_same(repository)

    def keep_only_nudged(self) -> None:
        """The end has come, and what was asked for by events is still done: nothing else begins any more."""
        self._dispatcher.keep_only_nudged()

    def _run_once(self) -> bool:
        deadline = Deadline.after(self._clock, LIST_TIMEOUT_S)
        change = self._fleet.take_listing(self._parts.access.source.fetch_applications(deadline))
        for key in change.added:
            self._parts.hooks.on_known(key)
        self._metrics.set("applications_watched_total", len(self._fleet))
        self._dispatcher.offer(self._offer_of(snapshot) for snapshot in self._fleet.snapshots())
        self._dispatcher.start()
        while not self._dispatcher.wait_done(_WAKE_S):
            pass
        return self._end()

    def _end(self) -> bool:
        self._dispatcher.stop()
        deadline = self._countdown.start()
        is_idle = self._dispatcher.wait_idle(deadline.remaining_s())
        is_unwatched = self._follower.join(deadline.remaining_s())
        self._dispatcher.close()
        self._summary()
        return is_idle and is_unwatched

    def _fleet_changed(self, change: FleetChange) -> None:
        for key in change.removed:
            self._jobs.remove_application(key)
            self._dispatcher.withdraw(key)
            self.tickets.gone(key)
            self._parts.hooks.on_gone(key)
        for key in change.added:
            self._parts.hooks.on_known(key)
            if self._parts.is_polling:
                self._jobs.add_application(key, self._options.interval_s, self._offer)
        if change.edited and self._parts.is_polling:
            self.nudge(change.edited)
        self._parts.hooks.on_listed()
        self._metrics.set("applications_watched_total", len(self._fleet))
        if not change.is_empty:
            counts = {"added": len(change.added), "edited": len(change.edited), "removed": len(change.removed)}
            self._log.debug("fleet_changed", **counts)

    def _plan_list(self, delay_s: float) -> None:
        self._jobs.run_after(FLEET_LIST_JOB, delay_s, self._follower.list_once)

    def _offer(self, key: str) -> None:
        snapshot = self._fleet.find(key)
        if snapshot is not None:
            self._dispatcher.offer([self._offer_of(snapshot)])

    def _offer_of(self, snapshot: ApplicationSnapshot, *, is_nudged: bool = False) -> Offer:
        return Offer(str(snapshot.key), cap_repository(snapshot), is_nudged)

    def _work(self, key: str) -> bool:
        try:
            return self._attempts.run(key)
        finally:
            self.tickets.ended(key)

    def _dispatched(self, key: str) -> None:
        self.tickets.began((key,))
        self._metrics.set("application_last_attempt_timestamp", self._clock.now().timestamp(), application=key)
        interval_s = self._options.interval_s
        if interval_s <= 0 or not self._parts.is_polling:
            return
        self._jobs.postpone(key, interval_s + self._clock.uniform(0.0, MOST_JITTER_S))
        if self._options.interval_s < interval_s:
            # A shorter interval that came a moment ago found another run to move.
            self._jobs.postpone(key, self._options.interval_s)

    def _skipped(self, reason: SkipReason) -> None:
        self._metrics.increase("scheduler_skipped_total", reason=reason.value)

    def _summarise(self) -> None:
        """The job: once per interval."""
        try:
            self._summary()
        finally:
            if not self._stopped.is_set():
                self._jobs.run_after(SUMMARY_JOB, self._options.interval_s, self._summarise)

    def _summary(self) -> None:
        totals = self._attempts.totals.take()
        if totals:
            self._log.info("cycle_finished", **totals)
