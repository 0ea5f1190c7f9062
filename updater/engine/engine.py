"""``Engine.process``: the one path of ``ApplicationSnapshot`` to ``Report``.

plan (pure) -> gather facts per repository (pool) -> choose, decide (pure) -> group (pure) -> write per target (pool).
Both running modes go through it: the whole fleet in one call, or one Application per call.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from updater.clock import Clock, Deadline
from updater.engine.announcements import Announcer
from updater.engine.facts import Facts, gather, in_pool
from updater.engine.grouping import change_set_of
from updater.engine.polls import Poller
from updater.errors import UpdaterError
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import ChangeSet, WriteBackResult, WriteOutcome
from updater.model.images import Decision
from updater.model.report import ApplicationReport, Report
from updater.planning.memory import PlanMemory
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.ports.log import EventLog
from updater.ports.progress import Progress
from updater.ports.registry import TagInspector, TagSource
from updater.ports.writeback import WriteBack
from updater.rules.decisions import decide

WRITE_TIMEOUT_S = 300.0
"""For one change set, all attempts included: seven attempts with server-side validation fit."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """``workers`` bounds both the repositories polled and the Applications written at a time.

    ``is_cycle`` False leaves the records of a whole round to the caller, who processes one Application at a time.
    """

    plan: PlanOptions = field(default_factory=PlanOptions)
    workers: int = 10
    is_dry_run: bool = False
    is_cycle: bool = True


class Experience:
    """What engines of one process share: the log, which warnings it holds already, plans and choices. Thread-safe."""

    def __init__(self, log: EventLog, memory: PlanMemory | None = None) -> None:
        self.log = log
        self.memory = memory or PlanMemory()
        self.announcer = Announcer(log)


@dataclass(frozen=True, slots=True)
class _Work:
    """One Application on its way."""

    snapshot: ApplicationSnapshot
    plan: ApplicationPlan
    decisions: tuple[Decision, ...] = ()
    change_set: ChangeSet | None = None
    error: str = ""
    error_code: str = ""


class Registry(TagSource, TagInspector, Protocol):
    """Both views of registries in one object."""


class Engine:
    """One ``process`` at a time; engines that work side by side share an ``Experience``.

    Once ``stopping`` is set, polls and writes that have not begun are left out, and say so.
    """

    def __init__(
        self,
        registry: Registry,
        write_back: WriteBack,
        options: EngineOptions,
        clock: Clock,
        experience: Experience,
        stopping: threading.Event,
    ) -> None:
        self._registry = registry
        self._write_back = write_back
        self._options = options
        self._clock = clock
        self._log = experience.log
        self._stopping = stopping
        self._announcer = experience.announcer
        self._memory = experience.memory

    def process(self, applications: Sequence[ApplicationSnapshot], deadline: Deadline, progress: Progress) -> Report:
        """One round; every planned image ends in exactly one decision, every change set in exactly one result."""
        began_s = self._clock.monotonic_s()
        planned, skipped = self._plan(applications)
        progress.started(len(planned))
        try:
            if self._options.is_cycle:
                self._log.info("cycle_started", applications=len(planned))
            facts = self._gather(planned, deadline)
            works = [self._decide(snapshot, plan, facts) for snapshot, plan in planned]
            results = self._write_all(works, deadline, progress)
        finally:
            progress.finished()
        report = Report(
            applications=tuple(_report(work, results.get(work.snapshot.key)) for work in works),
            skipped=tuple(skipped),
            is_dry_run=self._options.is_dry_run,
            seconds=self._clock.monotonic_s() - began_s,
        )
        if self._options.is_cycle:
            self._announcer.round_finished(report)
        return report

    def _plan(
        self, applications: Sequence[ApplicationSnapshot]
    ) -> tuple[list[tuple[ApplicationSnapshot, ApplicationPlan]], list[tuple[ApplicationKey, str]]]:
        planned: list[tuple[ApplicationSnapshot, ApplicationPlan]] = []
        skipped: list[tuple[ApplicationKey, str]] = []
        for snapshot in applications:
            plan = self._plan_one(snapshot)
            if plan.skip is None:
                planned.append((snapshot, plan))
            else:
                skipped.append((snapshot.key, plan.skipped))
                self._announcer.skipped(snapshot, plan)
            self._announcer.warnings(snapshot.key, plan.warnings)
        return planned, skipped

    def _plan_one(self, snapshot: ApplicationSnapshot) -> ApplicationPlan:
        try:
            return plan_application(snapshot, self._options.plan, self._memory)
        except Exception as error:  # noqa: BLE001 - a bug met in one Application must not cost the others
            self._log.error("bug_found", exception=error, application=str(snapshot.key), error=str(error))
            text = f"internal error: {type(error).__name__}"
            return ApplicationPlan(snapshot.key, problem=text, problem_code="internal_error")

    def _gather(self, planned: list[tuple[ApplicationSnapshot, ApplicationPlan]], deadline: Deadline) -> Facts:
        images = [image for _, plan in planned for image in plan.images]
        poller = Poller(self._registry, self._registry, deadline, self._log, self._stopping)
        return gather(images, poller, self._memory.selector, workers=self._options.workers)

    def _decide(self, snapshot: ApplicationSnapshot, plan: ApplicationPlan, facts: Facts) -> _Work:
        decisions = tuple(decide(image, facts.outcome_for(image)) for image in plan.images)
        for decision in decisions:
            self._announcer.decision(decision)
        error, code = plan.problem, plan.problem_code
        change_set = None
        if not error:
            try:
                change_set = change_set_of(snapshot, plan, decisions)
            except UpdaterError as problem:
                error, code = str(problem), problem.code
        if error:
            self._announcer.failed(snapshot.key, error, code)
        return _Work(snapshot, plan, decisions, change_set, error, code)

    def _write_all(
        self, works: list[_Work], deadline: Deadline, progress: Progress
    ) -> dict[ApplicationKey, WriteBackResult]:
        """The results of all change sets; only they take a worker."""
        change_sets: list[ChangeSet] = []
        for work in works:
            if work.change_set is not None:
                change_sets.append(work.change_set)
            else:
                progress.advanced(str(work.snapshot.key))
        results = in_pool(
            lambda each: self._write_announced(each, deadline, progress), change_sets, self._options.workers, "write"
        )
        return {result.change_set.application: result for result in results}

    def _write_announced(self, change_set: ChangeSet, deadline: Deadline, progress: Progress) -> WriteBackResult:
        self._announcer.writing(change_set.application, len(change_set.images))
        result = self._write(change_set, deadline)
        self._announcer.written(result)
        progress.advanced(str(change_set.application))
        return result

    def _write(self, change_set: ChangeSet, deadline: Deadline) -> WriteBackResult:
        if self._stopping.is_set():
            text = f"{change_set.application}: not written, because the updater is shutting down"
            return WriteBackResult(change_set, WriteOutcome.FAILED, error_code="shutting_down", error=text)
        try:
            within = deadline.sooner(WRITE_TIMEOUT_S)
            return self._write_back.apply(change_set, dry_run=self._options.is_dry_run, deadline=within)
        except Exception as error:  # noqa: BLE001 - a bug met in one write must not cost the others
            self._log.error("bug_found", exception=error, application=str(change_set.application), error=str(error))
            text = f"{change_set.application}: internal error: {type(error).__name__}"
            return WriteBackResult(change_set, WriteOutcome.FAILED, error_code="internal_error", error=text)


def _report(work: _Work, result: WriteBackResult | None) -> ApplicationReport:
    return ApplicationReport(
        key=work.snapshot.key,
        decisions=work.decisions,
        result=result,
        warnings=work.plan.warnings,
        error=work.error,
        error_code=work.error_code,
    )
