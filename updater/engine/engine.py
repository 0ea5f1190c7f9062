"""``Engine.process``: the one path of ``ApplicationSnapshot`` to ``Report``.

plan (pure) -> gather facts per repository (pool) -> choose, decide (pure) -> group (pure) -> write per target (pool).
Both running modes go through it: the whole fleet in one call, or one Application per call.
"""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from updater.clock import Clock, Deadline, SystemClock
from updater.engine.announcements import Announcer
from updater.engine.facts import Facts, gather
from updater.engine.grouping import Work, work_of
from updater.engine.label_remarks import LabelRemarks
from updater.engine.labels import KnownLabels, gather_labels
from updater.engine.polls import Poller
from updater.engine.writing import Manner, Parked, Writers, Writing, not_parked
from updater.errors import UpdaterError
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import WriteBackResult
from updater.model.images import Counter, Decision, ImagePlan, Reason
from updater.model.report import ApplicationReport, Report
from updater.planning.handover import PlanHandover
from updater.planning.memory import PlanMemory
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.ports.log import EventLog
from updater.ports.progress import Progress
from updater.ports.registry import LabelSource, TagInspector, TagSource
from updater.rules.decisions import decide
from updater.writeback.git_making import IntentOptions, with_labels


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """``workers`` bounds both the repositories polled and the Applications written at a time.

    ``is_cycle`` False leaves the records of a whole round to the caller, who processes one Application at a time.
    ``is_rehearsal`` ends before anything is written or a target is looked at. ``is_named``: the Applications are those
    that a person asked for by name. ``intents`` is about commits; ``parked`` frees a worker while its only Application
    waits for Git.
    """

    plan: PlanOptions = field(default_factory=PlanOptions)
    workers: int = 10
    is_dry_run: bool = False
    is_cycle: bool = True
    is_rehearsal: bool = False
    is_named: bool = False
    intents: IntentOptions = field(default_factory=IntentOptions)
    parked: Parked = not_parked


class Experience:
    """What engines of one process share: the log, which warnings it holds already, plans and choices. Thread-safe."""

    def __init__(self, log: EventLog, memory: PlanMemory | None = None, clock: Clock | None = None) -> None:
        self.log = log
        self.memory = memory or PlanMemory()
        self.announcer = Announcer(log, clock)
        self.label_remarks = LabelRemarks(log, clock or SystemClock())
        self.handover = PlanHandover()


@dataclass(frozen=True, slots=True)
class _Judged:
    """One Application on its way."""

    snapshot: ApplicationSnapshot
    plan: ApplicationPlan
    decisions: tuple[Decision, ...] = ()
    work: Work | None = None
    error: str = ""
    error_code: str = ""


class Registry(TagSource, TagInspector, LabelSource, Protocol):
    """All views of registries in one object."""


class Engine:
    """One ``process`` at a time; engines that work side by side share an ``Experience``.

    Once ``stopping`` is set, polls and writes that have not begun are left out, and say so.
    """

    def __init__(
        self,
        registry: Registry,
        writers: Writers,
        options: EngineOptions,
        clock: Clock,
        experience: Experience,
        stopping: threading.Event,
    ) -> None:
        self._registry = registry
        self._writers = writers
        self._options = options
        self._clock = clock
        self._log = experience.log
        self._stopping = stopping
        self._announcer = experience.announcer
        self._label_remarks = experience.label_remarks
        self._handover = experience.handover
        self._memory = experience.memory

    def process(self, applications: Sequence[ApplicationSnapshot], deadline: Deadline, progress: Progress) -> Report:
        """One round; every planned image ends in exactly one decision, every change set in exactly one result."""
        began_s = self._clock.monotonic_s()
        planned, skipped = self._plan(applications)
        progress.started(len(planned))
        try:
            if self._options.is_cycle:
                reasons = Tally(text for _, text in skipped)
                is_named = self._options.is_named
                self._announcer.round_begun(len(applications), len(planned), reasons, is_named=is_named)
            facts = self._gather(planned, deadline, progress)
            judged = [self._decide(snapshot, plan, facts) for snapshot, plan in planned]
            self._announcer.unanswered(decision for each in judged for decision in each.decisions)
            judged = self._label(judged, deadline, progress)
            results = self._write_all(judged, deadline, progress)
        finally:
            progress.finished()
        report = Report(
            applications=tuple(_report(each, results.get(each.snapshot.key)) for each in judged),
            skipped=tuple(skipped),
            is_dry_run=self._options.is_dry_run,
            seconds=self._clock.monotonic_s() - began_s,
            is_interrupted=self._stopping.is_set(),
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
            known = self._handover.take(snapshot, self._options.plan)
            return known or plan_application(snapshot, self._options.plan, self._memory)
        except Exception as error:  # noqa: BLE001 - a bug met in one Application must not cost the others
            self._log.error("bug_found", exception=error, application=str(snapshot.key), error=str(error))
            text = f"internal error: {type(error).__name__}"
            return ApplicationPlan(snapshot.key, problem=text, problem_code="internal_error")

    def _gather(
        self, planned: list[tuple[ApplicationSnapshot, ApplicationPlan]], deadline: Deadline, progress: Progress
    ) -> Facts:
        images = [image for _, plan in planned for image in plan.images]
        poller, workers = self._poller(deadline), self._options.workers
        return gather(images, poller, self._memory.selector, workers=workers, on_polled=progress.polled)

    def _poller(self, deadline: Deadline) -> Poller:
        return Poller(self._registry, self._registry, deadline, self._log, self._stopping)

    def _decide(self, snapshot: ApplicationSnapshot, plan: ApplicationPlan, facts: Facts) -> _Judged:
        try:
            return self._judge(snapshot, plan, facts)
        except Exception as error:  # noqa: BLE001 - a bug met in one Application must not cost the others
            self._log.error("bug_found", exception=error, application=str(snapshot.key), error=str(error))
            text = f"internal error: {type(error).__name__}"
            return _Judged(snapshot, plan, tuple(_undecided(image, text) for image in plan.images))

    def _judge(self, snapshot: ApplicationSnapshot, plan: ApplicationPlan, facts: Facts) -> _Judged:
        decisions = tuple(decide(image, facts.outcome_for(image)) for image in plan.images)
        for decision in decisions:
            self._announcer.decision(decision)
        error, code = plan.problem, plan.problem_code
        work = None
        if not error:
            try:
                options = self._options
                work = work_of(snapshot, plan, decisions, scope=options.plan.git, intents=options.intents)
            except UpdaterError as problem:
                error, code = str(problem), problem.code
        if error:
            self._announcer.failed(snapshot.key, error, code)
        else:
            self._announcer.recovered(snapshot.key)
        return _Judged(snapshot, plan, decisions, work, error, code)

    def _label(self, judged: list[_Judged], deadline: Deadline, progress: Progress) -> list[_Judged]:
        """The same, with labels in the texts of commits and pull requests that show them."""
        showing = [each for each in judged if self._shows_labels(each)]
        if not showing or self._options.is_rehearsal:
            return judged
        decisions = [decision for each in showing for decision in each.decisions]
        poller, workers = self._poller(deadline), self._options.workers
        known = gather_labels(decisions, self._registry, poller, deadline, workers=workers, on_polled=progress.polled)
        self._label_remarks.say(known.unlabelled([(each.snapshot.key, each.decisions) for each in showing]))
        labelled = {id(each): self._labelled(each, known) for each in showing}
        return [labelled.get(id(each), each) for each in judged]

    def _shows_labels(self, judged: _Judged) -> bool:
        intent = judged.work.intent if judged.work is not None else None
        return intent is not None and self._options.intents.show_labels(intent.target)

    def _labelled(self, judged: _Judged, known: KnownLabels) -> _Judged:
        if judged.work is None or judged.work.intent is None:
            return judged
        try:
            intent = with_labels(judged.work.intent, known.labels_of(judged.decisions), self._options.intents)
        except Exception as error:  # noqa: BLE001 - a bug met in a text must not cost the change
            self._log.error("bug_found", exception=error, application=str(judged.snapshot.key), error=str(error))
            return judged
        return replace(judged, work=Work(intent.change_set, intent))

    def _write_all(
        self, judged: list[_Judged], deadline: Deadline, progress: Progress
    ) -> dict[ApplicationKey, WriteBackResult]:
        """The results of all work; Applications without any are done."""
        works: list[Work] = []
        for each in judged:
            if each.work is not None and not self._options.is_rehearsal:
                works.append(each.work)
            else:
                progress.advanced(str(each.snapshot.key))
        options = self._options
        manner = Manner(options.workers, options.is_dry_run, is_gathered=options.is_cycle, parked=options.parked)
        writing = Writing(self._writers, manner, self._announcer, self._log, self._stopping)
        results = writing.carry_out(
            works, deadline, lambda result: progress.advanced(str(result.change_set.application))
        )
        return {result.change_set.application: result for result in results}


def _report(judged: _Judged, result: WriteBackResult | None) -> ApplicationReport:
    intent = judged.work.intent if judged.work is not None else None
    return ApplicationReport(
        key=judged.snapshot.key,
        decisions=judged.decisions,
        result=result,
        warnings=(*judged.plan.warnings, *(intent.warnings if intent is not None else ())),
        error=judged.error,
        error_code=judged.error_code,
    )


def _undecided(image: ImagePlan, text: str) -> Decision:
    """An image that a bug was met at: nothing is known, nothing is changed."""
    counts = frozenset((Counter.CONSIDERED, Counter.ERRORS))
    return Decision(image, Reason.TAGS_UNAVAILABLE, problem=text, error_code="internal_error", counts=counts)
