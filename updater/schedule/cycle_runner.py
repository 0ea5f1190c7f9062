"""Cycle mode: the whole fleet in one round, then a pause of one interval (``runtime.md`` 3.3).

A cycle is a one-shot job that plans its successor when it ends, so cycles never overlap and the interval is a gap.
Shutdown order (3.10): the job stops; a cycle that runs is waited for, up to the deadline that all steps of the end
share; then ``run`` returns, and its caller flushes writers and closes connections. Whoever processes a cycle sees for
himself that it should end early.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from updater.clock import Clock, Countdown, Deadline
from updater.errors import UpdaterError
from updater.model.applications import ApplicationSnapshot
from updater.model.report import Report
from updater.ports.fleet import FleetSource
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.schedule.complaints import Complaints
from updater.schedule.fleet import Admission, ImagesOf, no_images
from updater.schedule.follower import LIST_TIMEOUT_S
from updater.schedule.jobs import Jobs
from updater.schedule.measures import ONE_FAILURE, is_success, measure_images
from updater.schedule.nudged_rounds import NudgedFleet
from updater.schedule.options import Mode, ScheduleOptions
from updater.schedule.passes import Candidate, PassResult, schedule_pass
from updater.schedule.repositories import cap_repository
from updater.schedule.rounds import RoundHooks, warm_up
from updater.schedule.state import ScheduleState
from updater.schedule.tickets import Tickets
from updater.schedule.users import Users

CYCLE_JOB = "cycle"
NUDGED_JOB = "nudged"
FIRST_RETRY_S = 5.0
FIRST_PHASE_S = 60.0
"""The API server may start after us: the first listing is repeated for so long (``runtime.md`` 8.9)."""

_WAKE_S = 60.0

ProcessFleet = Callable[[Sequence[ApplicationSnapshot], int], Report]
"""One round over Applications in the order of their priority, with so many workers. May raise ``UpdaterError``."""


@dataclass(frozen=True, slots=True)
class CycleParts:
    """What cycle mode works with. ``process`` also gets, last, what ``admits`` refused, to report why it is skipped.

    ``process_nudged`` gets the Applications that an event is about, between cycles; None where there are no events.
    """

    source: FleetSource
    admits: Admission
    process: ProcessFleet
    hooks: RoundHooks
    images_of: ImagesOf = no_images
    process_nudged: ProcessFleet | None = None


class CycleRunner:
    """Runs until ``stop``, which may come from any thread or a signal handler. ``run`` once.

    ``end`` is by when a cycle that runs must have ended; whoever stops the process starts it.
    """

    def __init__(
        self,
        parts: CycleParts,
        options: ScheduleOptions,
        end: Countdown,
        metrics: Metrics,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._parts = parts
        self._options = options
        self._end = end
        self._metrics = metrics
        self._clock = clock
        self._log = log
        server_log = log.bind(**parts.hooks.server_fields)
        self._complaints = Complaints("fleet_unreadable", clock, server_log, parts.hooks.on_trouble)
        self._jobs = Jobs(clock)
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._nudged = NudgedFleet(parts.images_of)
        self._takes_only_nudged = threading.Event()
        self.tickets = Tickets()
        # Held by a cycle, and by a round over nudged Applications: neither overlaps the other.
        self._turn = threading.Lock()
        # Below: of the thread that has its turn.
        self._state = ScheduleState()
        self._known: frozenset[str] = frozenset()
        self._first_phase = Deadline.after(clock, FIRST_PHASE_S)
        self._is_cycling = False
        # Of whoever comes last: each is one assignment.
        self._listed_s: float | None = None
        self._worked_s: float | None = None

    @property
    def listed_s(self) -> float | None:
        """When the fleet last was what a List had told, on the monotonic clock; None before the first time.

        No List is missing while a cycle works on what it listed, however long that takes.
        """
        return self._clock.monotonic_s() if self._is_cycling else self._listed_s

    @property
    def ended_s(self) -> float | None:
        """When a cycle or a part of its work last ended, on the monotonic clock; None before the first time.

        A cycle over a large fleet may take longer than readiness has patience. All its attempts begin together, so
        what ends in between tells that they are made: a registry was asked, or an Application finished.
        """
        return self._worked_s

    def note_work(self) -> None:
        """Something in the round that runs has been done. Any thread."""
        self._worked_s = self._clock.monotonic_s()

    @property
    def fleet_size(self) -> int:
        """The Applications that passed the filters when the fleet was last listed."""
        return len(self._known)

    def run(self) -> bool:
        """False when a cycle was still running at the deadline of the shutdown.

        With interval 0 there is one cycle, in this thread; then what it fails with is raised.
        """
        warm_up(self._parts.hooks, self._log)
        self._first_phase = Deadline.after(self._clock, FIRST_PHASE_S)
        if self._options.interval_s <= 0:
            self.run_cycle()
            return True
        self._jobs.start()
        self._jobs.run_after(CYCLE_JOB, 0.0, self._cycle_job)
        while not self._stopped.wait(_WAKE_S):
            pass
        self._jobs.stop()
        return self._idle.wait(self._end.start().remaining_s())

    def stop(self) -> None:
        """Let ``run`` end. Returns at once."""
        self._stopped.set()

    def users_of(self, registry: str, name: str) -> Users:
        """The Applications that use a repository, as they were last listed."""
        return self._nudged.users_of(registry, name)

    def nudge(self, keys: Iterable[str]) -> int:
        """Have Applications processed as soon as no cycle runs; the number of those that are in the fleet.

        They are processed as they were last listed, which a write looks at again. A second nudge of one that waits
        changes nothing.
        """
        wanted = tuple(keys)
        added = self._nudged.add(wanted)
        for key in added.unknown:
            self.tickets.gone(key)
        if added.is_first:
            self._jobs.run_after(NUDGED_JOB, 0.0, self._nudged_job)
        return len(wanted) - len(added.unknown)

    def keep_only_nudged(self) -> None:
        """The end has come, and what was asked for by events is still done: no other cycle begins any more."""
        self._takes_only_nudged.set()

    def change_interval(self, interval_s: float) -> None:
        """Another pause between cycles, the one that is under way included. Any thread."""
        self._options = replace(self._options, interval_s=interval_s)
        waiting_s = self._jobs.next_run_s(CYCLE_JOB)
        if waiting_s is not None and waiting_s > interval_s and not self._stopped.is_set():
            self._jobs.run_after(CYCLE_JOB, interval_s, self._cycle_job)

    def run_cycle(self) -> Report:
        """One cycle. Raises ``UpdaterError`` when the fleet cannot be listed or the round cannot begin."""
        began_s = self._clock.monotonic_s()
        snapshots = self._parts.source.fetch_applications(Deadline.after(self._clock, LIST_TIMEOUT_S))
        self._listed_s = self._clock.monotonic_s()
        admitted = {str(each.key): each for each in snapshots if self._parts.admits(each)}
        refused = [each for each in snapshots if str(each.key) not in admitted]
        self._note_fleet(admitted)
        workers = self._workers(len(admitted))
        chosen = self._choose(admitted, workers)
        self._is_cycling = True
        try:
            report = self._process(admitted, chosen.dispatch, refused, workers, self._parts.process)
        finally:
            self._listed_s = self._clock.monotonic_s()
            self._is_cycling = False
        self._measure(report, self._clock.monotonic_s() - began_s)
        return report

    def _cycle_job(self) -> None:
        pause_s = self._options.interval_s
        try:
            with self._turn:
                self._idle.clear()
                if not (self._stopped.is_set() or self._takes_only_nudged.is_set()):
                    pause_s = self._cycle_guarded()
        finally:
            if not self._stopped.is_set():
                self._plan_cycle(min(pause_s, self._options.interval_s))
            self._idle.set()

    def _plan_cycle(self, pause_s: float) -> None:
        self._jobs.run_after(CYCLE_JOB, pause_s, self._cycle_job)
        if self._options.interval_s < pause_s:
            # A shorter interval that came a moment ago found no job to move.
            self._jobs.run_after(CYCLE_JOB, self._options.interval_s, self._cycle_job)

    def _nudged_job(self) -> None:
        with self._turn:
            self._idle.clear()
            try:
                if not self._stopped.is_set():
                    self._nudged_guarded()
            finally:
                self._idle.set()

    def _nudged_guarded(self) -> None:
        """A round over what was nudged; the one catching place of these rounds."""
        wanted = self._nudged.take()
        process = self._parts.process_nudged
        if not wanted or process is None:
            return
        self.tickets.began(wanted)
        try:
            report = self._process(wanted, tuple(wanted), (), self._options.workers_for(len(wanted)), process)
        except UpdaterError as error:
            self._log.error("nudged_round_failed", exception=error, code=error.code, error=str(error))
            self._count_failed(wanted)
        except Exception as error:  # noqa: BLE001 - a bug met in one round must not be the end of all
            self._log.error("bug_found", exception=error, error=str(error))
            self._count_failed(wanted)
        else:
            self._measure_attempts(report)
            for each in report.applications:
                self.tickets.counted(str(each.key), Report((each,)).totals)
        for key in wanted:
            self.tickets.ended(key)

    def _count_failed(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.tickets.counted(key, ONE_FAILURE)
            self._metrics.increase("images_errors_total", application=key)

    def _cycle_guarded(self) -> float:
        """Seconds until the next cycle; the one catching place of cycles."""
        try:
            self.run_cycle()
            self._complaints.recovered()
        except UpdaterError as error:
            self._complaints.failed(error)
            is_early = self._listed_s is None and self._first_phase.remaining_s() >= FIRST_RETRY_S
            return min(FIRST_RETRY_S, self._options.interval_s) if is_early else self._options.interval_s
        except Exception as error:  # noqa: BLE001 - a bug met in one cycle must not be the end of all
            self._log.error("bug_found", exception=error, error=str(error))
        return self._options.interval_s

    def _note_fleet(self, admitted: Mapping[str, ApplicationSnapshot]) -> None:
        keys = frozenset(admitted)
        if self._parts.process_nudged is not None:
            self._nudged.replace(admitted)
        for key in sorted(self._known - keys):
            self.tickets.gone(key)
            self._parts.hooks.on_gone(key)
        for key in sorted(keys - self._known):
            self._parts.hooks.on_known(key)
        self._known = keys
        self._state.retain(keys)
        self._metrics.set("applications_watched_total", len(keys))
        self._parts.hooks.on_listed()
        # Not only at the end of the cycle, which may be long.
        self._parts.hooks.on_trouble(None)

    def _workers(self, applications: int) -> int:
        workers = self._options.workers_for(applications)
        if self._options.max_concurrency == 0:
            self._log.info("concurrency_chosen", workers=workers, cpus=self._options.cpus, applications=applications)
        return workers

    def _choose(self, admitted: dict[str, ApplicationSnapshot], workers: int) -> PassResult:
        now_s = self._clock.monotonic_s()
        candidates: list[Candidate] = [
            self._state.candidate(key, cap_repository(snapshot)) for key, snapshot in admitted.items()
        ]
        chosen = schedule_pass(candidates, now_s, Mode.CYCLE, self._options, self._state.room(workers))
        for _, reason in chosen.skipped:
            self._metrics.increase("scheduler_skipped_total", reason=reason.value)
        return chosen

    def _process(
        self,
        admitted: Mapping[str, ApplicationSnapshot],
        keys: Sequence[str],
        refused: Sequence[ApplicationSnapshot],
        workers: int,
        process: ProcessFleet,
    ) -> Report:
        """The round, with every attempt remembered: one that the round does not report on has failed."""
        now_s, wall_s = self._clock.monotonic_s(), self._clock.now().timestamp()
        for key in keys:
            self._state.began(key, cap_repository(admitted[key]), now_s)
            self._metrics.set("application_last_attempt_timestamp", wall_s, application=key)
        succeeded: frozenset[str] = frozenset()
        try:
            report = process([*(admitted[key] for key in keys), *refused], workers)
            succeeded = _succeeded(report)
        finally:
            ended_s = self._clock.monotonic_s()
            for key in keys:
                self._state.ended(key, ended_s, is_success=key in succeeded)
        return report

    def _measure_attempts(self, report: Report) -> None:
        wall_s = self._clock.now().timestamp()
        for each in report.applications:
            measure_images(self._metrics, each, is_dry_run=report.is_dry_run)
            if is_success(each):
                self._metrics.set("application_last_success_timestamp", wall_s, application=str(each.key))

    def _measure(self, report: Report, seconds: float) -> None:
        self._measure_attempts(report)
        wall_s = self._clock.now().timestamp()
        self._metrics.observe("update_cycle_duration_seconds", seconds)
        self._metrics.set("update_cycle_last_end_timestamp", wall_s)
        self._worked_s = self._clock.monotonic_s()


def _succeeded(report: Report) -> frozenset[str]:
    """Keys of attempts without an error; to find nothing to do for an Application is none."""
    processed = {str(each.key) for each in report.applications if is_success(each)}
    return frozenset(processed | {str(key) for key, _ in report.skipped})
