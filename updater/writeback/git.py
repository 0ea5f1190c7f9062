"""Write-back method ``git``: many intents into few commits, one writer per target (``write-back.md`` 5).

Rounds hand over all their intents at once (``write_all``); in continuous mode they come one by one and wait a moment
for each other (``write``). Different targets are written side by side, also of one repository.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import zip_longest

from updater.clock import Clock, Deadline
from updater.errors import UpdaterError, WriteBackError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.ports.git import GitRemotes
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.writeback.git_batch import BatchWriter
from updater.writeback.git_gathering import Gathering, Pace
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_measures import GitMeasures
from updater.writeback.git_options import GitWriteOptions
from updater.writeback.git_plan import Batch, WriterKey, plan_batches, writer_key
from updater.writeback.git_requests import RequestWriter

OnResult = Callable[[WriteBackResult], None]
_LOST_CODES = frozenset(("auth_failed", "repo_not_found", "no_credentials", "credentials_scheme_mismatch"))
_SILENT_CODES = frozenset(("timeout", "network"))
_MAX_SILENT = 10_000
"""Remotes that are remembered; beyond it everything is forgotten, which costs others one wait."""
_ENDING = "not written, because the updater is shutting down"


def _ignore(_: WriteBackResult) -> None:
    """For callers that only want the results."""


class GitWriteBack:
    """Thread-safe. Once ``stopping`` is set, nothing more is taken, which the results say, and what was taken is
    written without waiting for others; how long that may take is a matter of the remotes.
    """

    def __init__(  # noqa: PLR0913 - parts of their own, each built elsewhere
        self,
        remotes: GitRemotes,
        options: GitWriteOptions,
        clock: Clock,
        log: EventLog,
        stopping: threading.Event,
        *,
        metrics: Metrics | None = None,
        requests: RequestWriter | None = None,
    ) -> None:
        self._options = options
        self._log = log
        self._stopping = stopping
        self._measures = GitMeasures(metrics or NoMetrics(), clock)
        self._writer = BatchWriter(remotes, options, clock, log, self._measures)
        self._requests = requests
        self._turns = _Turns()
        self._silent: frozenset[str] = frozenset()
        pace = Pace(options.idle_s, options.flush_interval_s, options.max_batch)
        self._gathering = Gathering(pace, clock, stopping)

    def write_all(
        self, intents: Sequence[GitIntent], *, dry_run: bool, deadline: Deadline, on_result: OnResult = _ignore
    ) -> tuple[WriteBackResult, ...]:
        """One result per intent, in their order; ``on_result`` hears of each as soon as its batch is done."""
        self._measures.arrived(intents)
        if self._stopping.is_set():
            return self._refused(intents, on_result)
        return self._write_batches(intents, deadline, on_result, dry_run=dry_run)

    def write(self, intent: GitIntent, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        """The result of one intent, which may be written together with others that come in the same moment."""
        if not self._options.is_batching or dry_run or self._stopping.is_set():
            return self.write_all([intent], dry_run=dry_run, deadline=deadline)[0]
        self._measures.arrived([intent])
        try:
            return self._gathering.submit(
                intent, lambda together: self._write_batches(together, deadline, _ignore, dry_run=False), deadline
            )
        except UpdaterError as error:
            text = f"{intent.change_set.application}: {error}"
            result = WriteBackResult(intent.change_set, WriteOutcome.FAILED, error_code=error.code, error=text)
            self._measures.ended([intent], [result])
            return result

    def _refused(self, intents: Sequence[GitIntent], on_result: OnResult) -> tuple[WriteBackResult, ...]:
        batches = [Batch((intent,)) for intent in intents]
        results = tuple(_failed(batch, "shutting_down", _ENDING)[0] for batch in batches)
        self._measures.ended(intents, results)
        for result in results:
            on_result(result)
        return results

    def _write_batches(
        self, intents: Sequence[GitIntent], deadline: Deadline, on_result: OnResult, *, dry_run: bool
    ) -> tuple[WriteBackResult, ...]:
        batches = plan_batches(intents, self._options.max_batch if self._options.is_batching else 1)
        tracks = _tracks(batches, self._silent)
        found: dict[int, WriteBackResult] = {}
        lost: dict[tuple[str, ...], tuple[str, str]] = {}

        def write(track: Sequence[Batch]) -> list[WriteBackResult]:
            return [
                result for batch in track for result in self._write(batch, deadline, on_result, lost, dry_run=dry_run)
            ]

        if tracks:
            with ThreadPoolExecutor(min(self._options.writers, len(tracks)), thread_name_prefix="git-write") as pool:
                for results in pool.map(write, tracks):
                    found.update({id(result.change_set): result for result in results})
        return tuple(found[id(intent.change_set)] for intent in intents)

    def _write(
        self,
        batch: Batch,
        deadline: Deadline,
        on_result: OnResult,
        lost: dict[tuple[str, ...], tuple[str, str]],
        *,
        dry_run: bool,
    ) -> tuple[WriteBackResult, ...]:
        """lost: remotes that nobody need ask again, with code and text; this adds to it."""
        login = _login(batch)
        try:
            if login in lost:
                results = _failed(batch, *lost[login])
            else:
                with self._turns.taken(writer_key(batch.target), deadline):
                    results = self._write_now(batch, deadline, dry_run=dry_run)
                _note_loss(batch, results, lost)
                self._note_silence(batch, results)
        except WriteBackError as error:
            results = _failed(batch, error.code, str(error))
        self._measures.ended((*batch.intents, *batch.superseded), results)
        for result in results:
            on_result(result)
        return results

    def _note_silence(self, batch: Batch, results: Sequence[WriteBackResult]) -> None:
        """Remember who kept a writer waiting for nothing: the next time all others come first.

        Two threads that note at once may lose one of the notes, which costs one wait.
        """
        remote = batch.target.remote.place
        if all(result.error_code in _SILENT_CODES for result in results):
            kept = self._silent if len(self._silent) < _MAX_SILENT else frozenset()
            self._silent = kept | {remote}
        elif remote in self._silent:
            self._silent -= {remote}

    def _write_now(self, batch: Batch, deadline: Deadline, *, dry_run: bool) -> tuple[WriteBackResult, ...]:
        self._measures.began(batch.intents)
        try:
            within = deadline.sooner(self._options.batch_timeout_s)
            return self._writer.write(batch, dry_run=dry_run, deadline=within, requests=self._requests)
        except Exception as error:  # noqa: BLE001 - a bug met in one batch must not cost the others
            self._log.error("bug_found", exception=error, repository=str(batch.target.remote), error=str(error))
            return _failed(batch, "internal_error", f"internal error: {type(error).__name__}")


def _tracks(batches: Sequence[Batch], silent: frozenset[str]) -> tuple[list[Batch], ...]:
    """Batches that must follow each other, together: none of them is to hold a thread while it waits for its turn.

    The first of every remote come first, so that many branches of one that hangs keep no other remote waiting; remotes
    that gave no answer the last time come last, so that many of them keep no other waiting either.
    """
    tracks: dict[WriterKey, list[Batch]] = {}
    for batch in batches:
        tracks.setdefault(writer_key(batch.target), []).append(batch)
    by_remote: dict[str, list[list[Batch]]] = {}
    for track in tracks.values():
        by_remote.setdefault(track[0].target.remote.place, []).append(track)
    answering = [found for remote, found in by_remote.items() if remote not in silent]
    others = [found for remote, found in by_remote.items() if remote in silent]
    ranks = (*zip_longest(*answering), *zip_longest(*others))
    return tuple(track for rank in ranks for track in rank if track is not None)


def _login(batch: Batch) -> tuple[str, ...]:
    """Remote and credentials: what the remote says of these holds for every branch, within one call."""
    remote, credentials, project, _ = writer_key(batch.target)
    return remote, credentials, project, batch.intents[0].change_set.application.namespace


def _note_loss(batch: Batch, results: Sequence[WriteBackResult], lost: dict[tuple[str, ...], tuple[str, str]]) -> None:
    """Whether the remote has refused the credentials, or has no such repository (``write-back.md`` 5.5)."""
    first = results[0]
    if first.error_code in _LOST_CODES and all(result.error_code == first.error_code for result in results):
        text = first.error.removeprefix(f"{first.change_set.application}: ")
        lost[_login(batch)] = first.error_code, text


def _failed(batch: Batch, code: str, text: str) -> tuple[WriteBackResult, ...]:
    return tuple(
        WriteBackResult(
            intent.change_set,
            WriteOutcome.FAILED,
            error_code=code,
            error=f"{intent.change_set.application}: {text}",
        )
        for intent in (*batch.intents, *batch.superseded)
    )


class _Turns:
    """One lock per writer key, forgotten when nobody wants it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[WriterKey, tuple[threading.Lock, int]] = {}

    @contextmanager
    def taken(self, key: WriterKey, deadline: Deadline) -> Iterator[None]:
        """Hold the turn; raises ``WriteBackError`` ``timeout`` when another writer keeps it for too long."""
        with self._lock:
            turn, count = self._turns.get(key, (threading.Lock(), 0))
            self._turns[key] = (turn, count + 1)
        try:
            if not turn.acquire(timeout=deadline.remaining_s()):
                raise WriteBackError("the writer of this repository was busy for too long", code="timeout")
            try:
                yield
            finally:
                turn.release()
        finally:
            with self._lock:
                turn, count = self._turns[key]
                if count == 1:
                    del self._turns[key]
                else:
                    self._turns[key] = (turn, count - 1)
