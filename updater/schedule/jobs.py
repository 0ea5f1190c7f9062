"""Jobs over APScheduler 3: the one module that imports it.

A job of an Application only offers it and does no work; one-shot jobs (a cycle, a listing) run in two threads of their
own, apart from the workers that process Applications (``runtime.md`` 3.4 and appendix B).

APScheduler reckons with the wall clock: a step back by an hour would stop every job for an hour. Here its times are
positions on the monotonic clock, shown as datetimes of a time zone that knows no other time (``_SteadyTime``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

# APScheduler 3 has no annotations.
from apscheduler.executors.base import BaseExecutor  # type: ignore[import-untyped]
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.base import JobLookupError  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.date import DateTrigger  # type: ignore[import-untyped]

from updater.clock import Clock

ONE_SHOT_THREADS = 2
"""A listing and one other thing: a cycle, or a summary."""

_APPLICATION = "application:"
_LIBRARY_LOGGER = "apscheduler"
_START = datetime(2000, 1, 1)  # noqa: DTZ001 - the zone is added where it is used
"""What the zero of the monotonic clock is called; any date would do."""


class Jobs:
    """The jobs of one process. Thread-safe; ``start`` and ``stop`` once each.

    APScheduler reports each job that it adds or runs at level info, which a fleet makes thousands of records: from
    ``start`` on its loggers begin at warning, also after ``stop``, when a one-shot job may still run.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._time = _SteadyTime(clock)
        pool = ThreadPoolExecutor(ONE_SHOT_THREADS, {"thread_name_prefix": "schedule-job"})
        self._scheduler = BackgroundScheduler(
            timezone=self._time,
            executors={"default": pool, "offers": _OfferExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        # Of the flag: held while a job is added, so that none is after ``stop``.
        self._lock = threading.Lock()
        self._is_stopped = False

    def start(self) -> None:
        """Begin to fire."""
        logging.getLogger(_LIBRARY_LOGGER).setLevel(logging.WARNING)
        self._scheduler.start()

    def stop(self) -> None:
        """No job fires any more, and none can be added; a one-shot job that runs is not waited for."""
        with self._lock:
            self._is_stopped = True
        # A scheduler that is shut down while it fires a one-shot job fails to remove that job, in its own thread;
        # this waits for what it is firing, and leaves it nothing to fire.
        self._scheduler.remove_all_jobs()
        self._scheduler.shutdown(wait=False)

    def add_application(self, key: str, every_s: float, offer: Callable[[str], None]) -> None:
        """Offer the Application now and then every ``every_s`` seconds; replaces an earlier job of the same key.

        ``offer`` runs in the scheduler's own thread and must return at once.
        """
        self._add(
            offer,
            _Every(timedelta(seconds=every_s)),
            args=(key,),
            id=_APPLICATION + key,
            next_run_time=self._in(0.0),
            executor="offers",
        )

    def remove_application(self, key: str) -> bool:
        """False when there is no such job."""
        try:
            self._scheduler.remove_job(_APPLICATION + key)
        except JobLookupError:
            return False
        return True

    def postpone(self, key: str, delay_s: float) -> bool:
        """Fire next in ``delay_s`` seconds, and from then on at the job's interval; False when there is no such job."""
        try:
            self._scheduler.modify_job(_APPLICATION + key, next_run_time=self._in(delay_s))
        except JobLookupError:
            return False
        return True

    def run_after(self, name: str, delay_s: float, work: Callable[[], None]) -> None:
        """Run ``work`` once, in a thread of the pool; replaces a run of the same name that still waits.

        ``work`` catches its own failures. A second run may be waiting while the first one runs.
        """
        self._add(work, DateTrigger(self._in(delay_s), self._time), id=name, max_instances=ONE_SHOT_THREADS)

    def next_run_s(self, name: str) -> float | None:
        """Seconds until a one-shot job fires; None when none of this name waits."""
        job = self._scheduler.get_job(name)
        return None if job is None else self._until(job.next_run_time)

    def next_offer_s(self, key: str) -> float | None:
        """Seconds until an Application is offered again; None when it has no job."""
        return self.next_run_s(_APPLICATION + key)

    def _add(self, work: Callable[..., None], trigger: BaseTrigger, **options: Any) -> None:
        with self._lock:
            if not self._is_stopped:
                self._scheduler.add_job(work, trigger, replace_existing=True, **options)

    def _in(self, delay_s: float) -> datetime:
        return datetime.now(self._time) + timedelta(seconds=max(0.0, delay_s))

    def _until(self, moment: datetime) -> float:
        return (moment - datetime.now(self._time)).total_seconds()


class _SteadyTime(tzinfo):
    """A time zone whose "now" is a position on the monotonic clock.

    ``datetime.now(zone)`` asks the zone to convert the wall time and takes what it answers; this one answers without
    looking at it. Arithmetic with the results is as in UTC. ``datetime.fromtimestamp`` with this zone is useless for
    the same reason, which is why the interval trigger of the library cannot be used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fromutc(self, wall: datetime) -> datetime:
        del wall
        return _START.replace(tzinfo=self) + timedelta(seconds=self._clock.monotonic_s())

    def utcoffset(self, moment: datetime | None) -> timedelta:
        del moment
        return timedelta(0)

    def dst(self, moment: datetime | None) -> None:
        del moment

    def tzname(self, moment: datetime | None) -> str:
        del moment
        return "steady"


class _Every(BaseTrigger):  # type: ignore[misc]  # the base has no annotations
    """Fires at a fixed interval after its previous time; a moved run moves all later ones."""

    __slots__ = ("_interval",)

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        return now if previous is None else previous + self._interval


class _OfferExecutor(BaseExecutor):  # type: ignore[misc]  # the base has no annotations
    """Runs a job where it fires: an offer is done in microseconds, and a fleet fires by the thousand.

    Unlike the library's own executors it counts no instances, so it remembers nothing of jobs that are gone.
    """

    def submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        del run_times
        job.func(*job.args)
