"""Carrying out the work of a round: fields one Application at a time, Git all together.

Whatever goes wrong in one write is the result of that write. Changes for Git are handed over at once, so that those of
one repository become one commit; an Application that comes alone waits a moment for others (``write-back.md`` 5.3).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from updater.clock import Deadline
from updater.engine.announcements import Announcer
from updater.engine.facts import in_pool
from updater.engine.failure_classes import SHUTTING_DOWN
from updater.engine.grouping import Work
from updater.model.applications import ApplicationKey
from updater.model.changes import ChangeSet, WriteBackResult, WriteOutcome
from updater.ports.log import EventLog
from updater.ports.writeback import WriteBack
from updater.writeback.git_intents import GitIntent

WRITE_TIMEOUT_S = 300.0
"""For one change set of fields, all attempts included: seven attempts with server-side validation fit."""


class GitWriting(Protocol):
    """Writes to Git; every failure is in a result, none is raised."""

    def write_all(
        self,
        intents: Sequence[GitIntent],
        *,
        dry_run: bool,
        deadline: Deadline,
        on_result: Callable[[WriteBackResult], None],
    ) -> tuple[WriteBackResult, ...]:
        """One result per intent, in their order; ``on_result`` hears of each as soon as it is known."""

    def write(self, intent: GitIntent, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        """The result of one intent, which may be written together with others that come in the same moment."""


@dataclass(frozen=True, slots=True)
class Writers:
    """Who carries out changes: of fields, and of files in Git (None where nothing is written to Git)."""

    fields: WriteBack
    git: GitWriting | None = None


Parked = Callable[[ApplicationKey], AbstractContextManager[None]]
"""While an Application only waits for others, for the time of a ``with`` block, its worker is free for another one."""


def not_parked(_: ApplicationKey) -> AbstractContextManager[None]:
    """For callers without workers to give back."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a round writes. ``is_gathered``: all of the changes are there, so that one alone need not wait for others."""

    workers: int = 10
    is_dry_run: bool = False
    is_gathered: bool = True
    parked: Parked = not_parked


class Writing:
    """The writes of one round. Once ``stopping`` is set, writes that have not begun are left out, and say so."""

    def __init__(
        self, writers: Writers, manner: Manner, announcer: Announcer, log: EventLog, stopping: threading.Event
    ) -> None:
        self._writers = writers
        self._manner = manner
        self._announcer = announcer
        self._log = log
        self._stopping = stopping

    def carry_out(
        self, works: Sequence[Work], deadline: Deadline, on_done: Callable[[WriteBackResult], None]
    ) -> list[WriteBackResult]:
        """One result for each, in no order; ``on_done`` hears of each as soon as it is known, from any thread."""
        change_sets = [work.change_set for work in works if work.intent is None]
        intents = [work.intent for work in works if work.intent is not None]

        def done(result: WriteBackResult) -> None:
            self._announcer.written(result)
            on_done(result)

        if not intents:
            return self._fields(change_sets, deadline, done)
        with ThreadPoolExecutor(1, "git-round") as pool:
            git = pool.submit(self._git, intents, deadline, done)
            return [*self._fields(change_sets, deadline, done), *git.result()]

    def _fields(
        self, change_sets: list[ChangeSet], deadline: Deadline, done: Callable[[WriteBackResult], None]
    ) -> list[WriteBackResult]:
        def write(change_set: ChangeSet) -> WriteBackResult:
            self._announcer.writing(change_set.application, len(change_set.images))
            result = self._write_fields(change_set, deadline)
            done(result)
            return result

        return in_pool(write, change_sets, self._manner.workers, "write")

    def _write_fields(self, change_set: ChangeSet, deadline: Deadline) -> WriteBackResult:
        if self._stopping.is_set():
            return left_out(change_set)
        try:
            within = deadline.sooner(WRITE_TIMEOUT_S)
            return self._writers.fields.apply(change_set, dry_run=self._manner.is_dry_run, deadline=within)
        except Exception as error:  # noqa: BLE001 - a bug met in one write must not cost the others
            return self._met_a_bug(change_set, error)

    def _git(
        self, intents: list[GitIntent], deadline: Deadline, done: Callable[[WriteBackResult], None]
    ) -> list[WriteBackResult]:
        results: dict[int, WriteBackResult] = {}

        def note(result: WriteBackResult) -> None:
            results[id(result.change_set)] = result
            done(result)

        for intent in intents:
            key = intent.change_set.application
            self._announcer.warnings(key, intent.warnings)
            if not self._manner.is_dry_run:
                self._announcer.queued(key, len(intent.change_set.images), str(intent.target.remote))
        try:
            self._write_git(intents, deadline, note)
        except Exception as error:  # noqa: BLE001 - a bug in the writer must not cost the writes of fields
            for intent in intents:
                if id(intent.change_set) not in results:
                    note(self._met_a_bug(intent.change_set, error))
        self._announcer.unwritten(result for result in results.values() if result.outcome is WriteOutcome.FAILED)
        return list(results.values())

    def _write_git(self, intents: list[GitIntent], deadline: Deadline, note: Callable[[WriteBackResult], None]) -> None:
        git, is_dry_run = self._writers.git, self._manner.is_dry_run
        if git is None or self._stopping.is_set():
            for intent in intents:
                note(left_out(intent.change_set) if git else _without_git(intent.change_set))
        elif self._manner.is_gathered or len(intents) > 1:
            git.write_all(intents, dry_run=is_dry_run, deadline=deadline, on_result=note)
        else:
            (intent,) = intents
            with self._manner.parked(intent.change_set.application):
                result = git.write(intent, dry_run=is_dry_run, deadline=deadline)
            note(result)

    def _met_a_bug(self, change_set: ChangeSet, error: Exception) -> WriteBackResult:
        self._log.error("bug_found", exception=error, application=str(change_set.application), error=str(error))
        text = f"{change_set.application}: internal error: {type(error).__name__}"
        return _failed(change_set, "internal_error", text)


def left_out(change_set: ChangeSet) -> WriteBackResult:
    """A write that had not begun when the updater was told to end."""
    text = f"{change_set.application}: not written, because the updater is shutting down"
    return _failed(change_set, SHUTTING_DOWN, text)


def _without_git(change_set: ChangeSet) -> WriteBackResult:
    text = f"{change_set.application}: nothing writes to Git here"
    return _failed(change_set, "write_back_unavailable", text)


def _failed(change_set: ChangeSet, code: str, text: str) -> WriteBackResult:
    return WriteBackResult(change_set, WriteOutcome.FAILED, error_code=code, error=text)
