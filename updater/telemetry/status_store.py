"""The latest report of every Application, and the latest cycles, for the status API and page (``runtime.md`` 6.1).

Reports flow in from the rounds, queries come in through ``updater.ports.status.StatusReader``. One record of 1 to 2 KB
per Application; candidates are ranked when somebody asks. A query walks over the fleet without copying it.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from updater.clock import Clock
from updater.model.applications import ApplicationKey
from updater.model.report import ApplicationReport, Report
from updater.ports.status import (
    ApplicationDetail,
    ApplicationStatus,
    CycleStatus,
    Rhythm,
    StatusPage,
    StatusQuery,
    Trouble,
)
from updater.telemetry.choice_shelf import ChoiceShelf
from updater.telemetry.status_records import (
    Clean,
    CycleTally,
    explain,
    failed_status,
    pending_status,
    reported_status,
)

MAX_CYCLES = 100
CONTINUOUS = "continuous"
"""The mode in which every Application has a period of its own."""


class StatusStore:
    """Thread-safe. Its lock is held for single records only, never for a walk."""

    def __init__(self, rhythm: Rhythm, clock: Clock, clean: Clean) -> None:
        self._rhythm = rhythm
        self._clock = clock
        self._clean = clean
        self._lock = threading.Lock()
        self._known: dict[str, ApplicationStatus] = {}
        self._order: tuple[str, ...] | None = ()
        """The keys in order, None when they have to be sorted again."""
        self._by_reason: Tally[str] = Tally()
        self._choices = ChoiceShelf()
        self._cycles: deque[CycleStatus] = deque(maxlen=MAX_CYCLES)
        self._interval = CycleTally()
        self._interval_began = self._now()
        self._trouble: Trouble | None = None
        self._version = 0

    @property
    def rhythm(self) -> Rhythm:
        return self._rhythm

    @property
    def trouble(self) -> Trouble | None:
        return self._trouble

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    def change_interval(self, interval_s: float) -> None:
        """Rounds repeat in another interval from now on."""
        with self._lock:
            self._rhythm = replace(self._rhythm, interval_s=interval_s)
            self._version += 1

    def note_unlisted(self, error: str, code: str) -> None:
        """The Applications could not be listed."""
        with self._lock:
            since = self._trouble.since if self._trouble else self._now()
            self._trouble = Trouble(since, code, self._clean(error))
            self._version += 1

    def note_listed(self) -> None:
        """The Applications could be listed."""
        with self._lock:
            self._version += self._trouble is not None
            self._trouble = None

    def note_known(self, key: str) -> None:
        """An Application is looked after from now on."""
        namespace, _, name = key.partition("/")
        with self._lock:
            if key not in self._known:
                self._set(key, pending_status(ApplicationKey(namespace, name)))
                self._order = None

    def note_gone(self, key: str) -> None:
        """It is not looked after any more; what a worker still reports of it is dropped."""
        with self._lock:
            before = self._known.pop(key, None)
            if before is None:
                return
            self._count(before.reasons, -1)
            self._choices.drop(key)
            self._order = None
            self._version += 1

    def note_cycle(self, report: Report) -> None:
        """A whole round has ended."""
        ended_at, tally = self._now(), CycleTally()
        for each in report.applications:
            self._note(each, ended_at - report.seconds, ended_at)
            tally.add(each)
        self._add_cycle(tally.close(ended_at, report.seconds, dry=report.is_dry_run))

    def note_attempts(self, report: Report) -> None:
        """Attempts have ended that belong to no cycle."""
        ended_at = self._now()
        for each in report.applications:
            self._note(each, ended_at - report.seconds, ended_at)
            with self._lock:
                self._interval.add(each)
        self._close_interval(ended_at)

    def note_failure(self, key: str, error: str, code: str) -> None:
        """An attempt that belongs to no cycle came to no report."""
        at = self._now()
        with self._lock:
            self._interval.add_failure()
            before = self._known.get(key)
            if before is not None:
                self._choices.drop(key)
                self._set(key, failed_status(before, error, code, at, self._clean))
        self._close_interval(at)

    def list_applications(self, query: StatusQuery) -> StatusPage:
        """The page that the query asks for; a query without a filter looks at no other records."""
        order = self._ordered()
        place = bisect_right(order, query.after)
        rest = self._walk(islice(order, place, None), query)
        items = tuple(islice(rest, query.limit))
        following = next(rest, None)
        matching = len(self._known)
        if query.reason or query.search:
            shown = len(items) + (following is not None)
            matching = _number_of(self._walk(islice(order, place), query)) + shown + _number_of(rest)
        with self._lock:
            by_reason = tuple(sorted(self._by_reason.items()))
        next_after = str(items[-1].key) if following is not None else ""
        return StatusPage(items, matching, len(self._known), next_after, by_reason)

    def find_application(self, key: ApplicationKey) -> ApplicationDetail | None:
        """One Application with the candidates of its images, None when it is not looked after."""
        with self._lock:
            status = self._known.get(str(key))
            choices = self._choices.get(str(key))
        if status is None:
            return None
        held = choices if choices is not None else (None,) * len(status.images)
        pairs = zip(status.images, held, strict=False)
        return ApplicationDetail(status, tuple(explain(choice, image.strategy) for image, choice in pairs))

    def due_at(self, status: ApplicationStatus) -> float | None:
        """When it is looked at next; None when that is now, or never."""
        if self._rhythm.interval_s <= 0 or status.attempted_at is None:
            return None
        if self._rhythm.mode == CONTINUOUS:
            return status.attempted_at + self._rhythm.interval_s
        cycles = self.cycles()
        return cycles[0].ended_at + self._rhythm.interval_s if cycles else None

    def cycles(self) -> tuple[CycleStatus, ...]:
        """The latest ones, latest first."""
        with self._lock:
            return tuple(self._cycles)

    def _walk(self, keys: Iterable[str], query: StatusQuery) -> Iterator[ApplicationStatus]:
        """Who of them fits. Those who left since the keys were sorted are passed over."""
        known = self._known
        for key in keys:
            status = known.get(key)
            if status is None or query.search not in status.search_text:
                continue
            if not query.reason or query.reason in status.reasons:
                yield status

    def _ordered(self) -> tuple[str, ...]:
        with self._lock:
            order = self._order
            if order is None:
                order = self._order = tuple(sorted(self._known))
        return order

    def _note(self, report: ApplicationReport, attempted_at: float, ended_at: float) -> None:
        key = str(report.key)
        choices = tuple(decision.choice for decision in report.decisions)
        before = self._known.get(key)
        if before is None:
            return
        status = reported_status(before, report, attempted_at, ended_at, self._clean)
        with self._lock:
            if key in self._known:
                self._choices.put(key, choices)
                self._set(key, status)

    def _set(self, key: str, status: ApplicationStatus) -> None:
        before = self._known.get(key)
        if before is not None:
            self._count(before.reasons, -1)
        self._count(status.reasons, 1)
        self._known[key] = status
        self._version += 1

    def _count(self, reasons: tuple[str, ...], step: int) -> None:
        for reason in reasons:
            self._by_reason[reason] += step
            if not self._by_reason[reason]:
                del self._by_reason[reason]

    def _close_interval(self, now: float) -> None:
        """Put the interval among the cycles when it is over; cycle mode has cycles in its place."""
        if self._rhythm.mode != CONTINUOUS:
            return
        with self._lock:
            seconds = now - self._interval_began
            if seconds < self._rhythm.interval_s:
                return
            tally, self._interval = self._interval, CycleTally()
            self._interval_began = now
        self._add_cycle(tally.close(now, seconds, dry=self._rhythm.is_dry_run))

    def _add_cycle(self, cycle: CycleStatus) -> None:
        with self._lock:
            self._cycles.appendleft(cycle)
            self._version += 1

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _number_of(found: Iterable[object]) -> int:
    return sum(1 for _ in found)
