"""What writing to Git leaves in the metrics (``write-back.md`` 7.4).

The label ``repository`` is the address without a user; its series go when nothing was written there for an hour.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from updater.clock import Clock
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.git_remotes import GitRemote
from updater.ports.git import CommitContent, GitSession, PushFate, PushResult, RemoteRefs
from updater.ports.metrics import Metrics
from updater.writeback.git_intents import GitIntent

UNUSED_S = 3600.0
"""How long the series of a repository stay after its last change."""
_LOOK_EVERY_S = 60.0
_PUSH_RESULTS: Mapping[PushFate, str] = {
    PushFate.LANDED: "success",
    PushFate.RACE: "race",
    PushFate.DENIED: "denied",
    PushFate.PROTECTED: "denied",
    PushFate.UNKNOWN: "unknown",
}


def repository_label(remote: GitRemote) -> str:
    """The address as a label: no user, one spelling for one repository."""
    authority, slash, path = remote.key.removeprefix(f"{remote.scheme.value}://").partition("/")
    scheme = f"{remote.scheme.value}://" if remote.is_http else ""
    return f"{scheme}{authority.rpartition('@')[2]}{slash}{path}"


@dataclass(slots=True)
class _Repository:
    waiting: int = 0
    used_s: float = 0.0


class GitMeasures:
    """Thread-safe; owns what it counts per repository."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._repositories: dict[str, _Repository] = {}
        self._arrived: dict[int, float] = {}
        self._looked_s = 0.0

    def arrived(self, intents: Iterable[GitIntent]) -> None:
        """Changes were handed over; each ends with ``ended``."""
        now_s = self._clock.monotonic_s()
        for intent in intents:
            label = repository_label(intent.target.remote)
            with self._lock:
                self._arrived[id(intent)] = now_s
                self._note(label, 1, now_s)
            self._metrics.increase("git_queue_length", 1, repository=label)
        for label in self._take_unused(now_s):
            self._metrics.drop("git_queue_length", repository=label)

    def began(self, intents: Sequence[GitIntent]) -> None:
        """Their batch is written now."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            waits = [now_s - self._arrived.get(id(intent), now_s) for intent in intents]
        self._metrics.observe("git_batch_size", len(intents))
        for wait_s in waits:
            self._metrics.observe("git_queue_wait_seconds", wait_s)

    def ended(self, intents: Iterable[GitIntent], results: Iterable[WriteBackResult]) -> None:
        """What came of them is known."""
        now_s = self._clock.monotonic_s()
        for intent in intents:
            label = repository_label(intent.target.remote)
            with self._lock:
                self._arrived.pop(id(intent), None)
                self._note(label, -1, now_s)
            self._metrics.increase("git_queue_length", -1, repository=label)
        for result in results:
            if result.outcome is WriteOutcome.FAILED:
                self._metrics.increase("git_writeback_errors_total", code=result.error_code)
            elif result.outcome is WriteOutcome.UNCHANGED:
                self._metrics.increase("git_writeback_unchanged_total")

    def push_repeated(self, reason: str) -> None:
        """A push is tried again: ``race`` or ``no_answer``."""
        self._metrics.increase("git_push_retries_total", reason=reason)

    def request_ended(self, provider: str, result: str) -> None:
        """What became of one request: ``opened``, ``updated``, ``unchanged``, ``closed``, ``failed`` or ``denied``."""
        self._metrics.increase("git_pull_requests_total", provider=provider, result=result)

    @contextmanager
    def operation(self, op: str) -> Iterator[_Outcome]:
        """One operation for the time of a ``with`` block, which may say another result than success."""
        began_s = self._clock.monotonic_s()
        outcome = _Outcome(op, "failure")
        try:
            yield outcome
            outcome.settle()
        finally:
            seconds = self._clock.monotonic_s() - began_s
            self._metrics.increase("git_operations_total", op=outcome.op, result=outcome.result)
            self._metrics.observe("git_operation_duration_seconds", seconds, op=outcome.op)

    def _note(self, label: str, step: int, now_s: float) -> None:
        repository = self._repositories.setdefault(label, _Repository())
        repository.waiting += step
        repository.used_s = now_s

    def _take_unused(self, now_s: float) -> list[str]:
        """Repositories whose series are to go; looked for now and then."""
        with self._lock:
            if now_s - self._looked_s < _LOOK_EVERY_S:
                return []
            self._looked_s = now_s
            unused = [
                label
                for label, each in self._repositories.items()
                if each.waiting == 0 and now_s - each.used_s > UNUSED_S
            ]
            for label in unused:
                del self._repositories[label]
            return unused


@dataclass(slots=True)
class _Outcome:
    op: str
    result: str
    is_told: bool = False

    def tell(self, result: str) -> None:
        """Another result than success, without an error."""
        self.result, self.is_told = result, True

    def settle(self) -> None:
        """Nothing was raised."""
        if not self.is_told:
            self.result = "success"


class MeasuredSession:
    """A ``GitSession`` whose operations are measured."""

    def __init__(self, session: GitSession, measures: GitMeasures) -> None:
        self._session = session
        self._measures = measures

    def fetch_refs(self, branches: Sequence[str]) -> RemoteRefs:
        with self._measures.operation("ls_refs"):
            return self._session.fetch_refs(branches)

    def fetch_commit(self, branch: str, commit: str) -> CommitContent:
        with self._measures.operation("fetch"):
            return self._session.fetch_commit(branch, commit)

    def commit(self, parent: CommitContent, files: Mapping[str, bytes], message: str) -> CommitContent:
        with self._measures.operation("commit"):
            return self._session.commit(parent, files, message)

    def push(self, commit: str, branch: str, expected: str | None) -> PushResult:
        with self._measures.operation("push") as outcome:
            result = self._session.push(commit, branch, expected)
            outcome.tell(_PUSH_RESULTS[result.fate])
            if result.renamed:
                outcome.op = "api_commit"
        return result

    def contains(self, tip: str, commit: str) -> bool:
        return self._session.contains(tip, commit)

    def lacks(self, branch: str, tip: str, base: str, base_tip: str) -> bool | None:
        return self._session.lacks(branch, tip, base, base_tip)
