"""Which writes are in flight: what an operator must know of when a shutdown cannot wait for them any longer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from updater.clock import Deadline
from updater.engine.writing import GitWriting, Writers
from updater.model.changes import ChangeSet, WriteBackResult
from updater.ports.log import Field
from updater.ports.writeback import WriteBack
from updater.writeback.git_intents import GitIntent

MOST_NAMED = 10
"""In one record; a batch may hold hundreds of Applications."""


class WritesUnderway:
    """The Applications whose writes have begun and not ended. Thread-safe; dry runs write nothing and are left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[int, str] = {}
        """By the identity of change sets: an Application may have one of a round and one of an event at a time."""

    def watching(self, writers: Writers) -> Writers:
        """The same writers, with what they do noted here."""
        return Writers(_Fields(writers.fields, self), None if writers.git is None else _Git(writers.git, self))

    def fields(self) -> dict[str, Field]:
        """For a record: how many there are, and the first of them by name."""
        with self._lock:
            names = sorted(self._begun.values())
        named = names[:MOST_NAMED] + (["..."] if len(names) > MOST_NAMED else [])
        return {"writes": len(names), "applications": ",".join(named) or "none"}

    @contextmanager
    def noted(self, change_sets: Sequence[ChangeSet], *, dry_run: bool) -> Iterator[Callable[[ChangeSet], None]]:
        """Writes for the time of a ``with`` block; what is yielded ends one of them before the others."""
        if not dry_run:
            with self._lock:
                self._begun.update((id(each), str(each.application)) for each in change_sets)
        try:
            yield lambda ended: self._end([ended])
        finally:
            self._end(change_sets)

    def _end(self, change_sets: Sequence[ChangeSet]) -> None:
        with self._lock:
            for each in change_sets:
                self._begun.pop(id(each), None)


class _Fields:
    def __init__(self, inner: WriteBack, underway: WritesUnderway) -> None:
        self._inner = inner
        self._underway = underway

    def apply(self, change_set: ChangeSet, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        with self._underway.noted([change_set], dry_run=dry_run):
            return self._inner.apply(change_set, dry_run=dry_run, deadline=deadline)


class _Git:
    def __init__(self, inner: GitWriting, underway: WritesUnderway) -> None:
        self._inner = inner
        self._underway = underway

    def write_all(
        self,
        intents: Sequence[GitIntent],
        *,
        dry_run: bool,
        deadline: Deadline,
        on_result: Callable[[WriteBackResult], None],
    ) -> tuple[WriteBackResult, ...]:
        with self._underway.noted([each.change_set for each in intents], dry_run=dry_run) as end_one:

            def ended(result: WriteBackResult) -> None:
                end_one(result.change_set)
                on_result(result)

            return self._inner.write_all(intents, dry_run=dry_run, deadline=deadline, on_result=ended)

    def write(self, intent: GitIntent, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        with self._underway.noted([intent.change_set], dry_run=dry_run):
            return self._inner.write(intent, dry_run=dry_run, deadline=deadline)
