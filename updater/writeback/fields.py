"""The careful writer of fields: read afresh, re-derive, compare, write, look again (``write-back.md`` 2.6).

UpdateSpec has no version check: the last writer wins completely. Therefore the change travels as edits and is applied
to a copy read immediately before each attempt, so that whatever somebody else wrote before that read survives. What
remains is the one round trip between that read and the server's own; ``--argocd-write patch`` closes most of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.clock import Backoff, Clock, Deadline
from updater.errors import (
    ArgoCDConflict,
    ArgoCDDenied,
    ArgoCDError,
    ArgoCDExhausted,
    ArgoCDInvalid,
    ArgoCDNotFound,
    ArgoCDUnauthenticated,
    PlanError,
    UpdaterError,
)
from updater.model.changes import ChangeSet, OverrideLists, WriteBackResult, WriteOutcome
from updater.planning.drift import drift_since
from updater.planning.overrides import apply_edits
from updater.ports.fleet import FreshApplication, OverrideStore
from updater.ports.log import EventLog
from updater.writeback.diffs import render_diff

_NOTHING_WRITTEN = (
    ArgoCDConflict,
    ArgoCDDenied,
    ArgoCDExhausted,
    ArgoCDInvalid,
    ArgoCDNotFound,
    ArgoCDUnauthenticated,
)
"""Answers that say that nothing was stored. After any other failure of a write its outcome is unknown."""

_TOO_LARGE = "argocd_too_large"
"""The code of an ``ArgoCDExhausted`` that may mean the answer to a write which was stored."""

_CODES: dict[type[UpdaterError], str] = {
    ArgoCDConflict: "update_conflict",
    ArgoCDDenied: "update_denied",
    ArgoCDInvalid: "update_invalid",
}


@dataclass(frozen=True, slots=True)
class FieldWriterOptions:
    """``backoff`` bounds the attempts for one change set."""

    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=7, base_s=0.1, cap_s=6.4))


@dataclass(slots=True)
class _Write:
    """One change set on its way; lives in the thread that carries it out."""

    change_set: ChangeSet
    deadline: Deadline
    failures: int = 0
    sent: int = 0
    outcome_is_unknown: bool = False

    def ended(
        self, outcome: WriteOutcome, diff: tuple[str, ...] = (), error: str = "", code: str = ""
    ) -> WriteBackResult:
        return WriteBackResult(self.change_set, outcome, self.sent, diff, code, error)


class FieldWriter:
    """A ``WriteBack`` for method ``argocd``. Thread-safe for different Applications."""

    def __init__(self, store: OverrideStore, options: FieldWriterOptions, clock: Clock, log: EventLog) -> None:
        self._store = store
        self._options = options
        self._clock = clock
        self._log = log

    def apply(self, change_set: ChangeSet, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        """Carry out one change set; every failure of our tree ends up in the result."""
        write = _Write(change_set, deadline)
        while True:
            try:
                return self._attempt(write, dry_run=dry_run)
            except UpdaterError as error:
                if not self._may_repeat(write, error):
                    return self._given_up(write, error)

    def _attempt(self, write: _Write, *, dry_run: bool) -> WriteBackResult:
        fresh, before, after = self._look(write)
        if before == after:
            return write.ended(WriteOutcome.WRITTEN if write.outcome_is_unknown else WriteOutcome.UNCHANGED)
        drift = drift_since(write.change_set, fresh.snapshot, before)
        if drift:
            return write.ended(WriteOutcome.SUPERSEDED, error=drift)
        diff = render_diff(before, after)
        if dry_run:
            return write.ended(WriteOutcome.DRY_RUN, diff)
        return _compared(write, after, self._store_once(write, fresh, before, after), diff)

    def _look(self, write: _Write) -> tuple[FreshApplication, OverrideLists, OverrideLists]:
        change_set = write.change_set
        fresh = self._store.fetch_fresh(change_set.application, change_set.project, write.deadline)
        return fresh, *apply_edits(fresh.snapshot, change_set.choice, change_set.edits)

    def _store_once(
        self, write: _Write, fresh: FreshApplication, before: OverrideLists, after: OverrideLists
    ) -> OverrideLists:
        write.sent += 1
        try:
            return self._store.store_overrides(fresh, before, after, write.deadline)
        except ArgoCDError as error:
            if not isinstance(error, _NOTHING_WRITTEN) or error.code == _TOO_LARGE:
                write.outcome_is_unknown = True
            raise

    def _may_repeat(self, write: _Write, error: UpdaterError) -> bool:
        """Waits before it says yes."""
        write.failures += 1
        if not error.retryable or write.failures >= self._options.backoff.attempts:
            return False
        asked_s = error.retry_after_s or 0.0
        delay_s = self._options.backoff.delay_s(write.failures - 1, self._clock, at_least_s=asked_s)
        if delay_s >= write.deadline.remaining_s():
            return False
        self._log.debug("write_repeated", application=str(write.change_set.application), error=str(error))
        return self._clock.wait_s(delay_s)

    def _given_up(self, write: _Write, error: UpdaterError) -> WriteBackResult:
        """A failure; unless a write whose outcome nobody reported turns out to have been stored."""
        text = str(error)
        if write.outcome_is_unknown:
            try:
                _, before, after = self._look(write)
            except UpdaterError as second:
                text = f"{error}; whether it was stored is unknown, because {second}"
            else:
                if before == after:
                    return write.ended(WriteOutcome.WRITTEN)
        code = error.code if isinstance(error, PlanError) else _CODES.get(type(error), "update_failed")
        return write.ended(WriteOutcome.FAILED, error=text, code=code)


def _compared(write: _Write, wanted: OverrideLists, stored: OverrideLists, diff: tuple[str, ...]) -> WriteBackResult:
    if stored == wanted:
        return write.ended(WriteOutcome.WRITTEN, diff)
    lost = "; ".join(render_diff(wanted, stored))
    text = f"{write.change_set.application}: the server stored something else than was sent: {lost}"
    return write.ended(WriteOutcome.FAILED, diff, error=text, code="update_failed")
