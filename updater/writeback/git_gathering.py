"""Intents that come one by one wait a little for others of the same target (``write-back.md`` 5.3, continuous mode).

There is no thread of its own: of the callers that wait, the first one writes for all, and when more have come meanwhile
the next of them takes over. So the number of writers is bounded by the callers, and one target has one writer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from updater.clock import Clock, Deadline
from updater.errors import WriteBackError
from updater.model.changes import WriteBackResult
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import WriterKey, writer_key

Write = Callable[[Sequence[GitIntent]], Sequence[WriteBackResult]]
"""Writes intents of one writer key; one result for each, by identity of its change set."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Flush after ``idle_s`` without a new intent, ``flush_interval_s`` after the oldest, or at ``max_batch``."""

    idle_s: float
    flush_interval_s: float
    max_batch: int


@dataclass(slots=True, eq=False)
class _Waiting:
    intent: GitIntent
    result: WriteBackResult | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.result is not None or self.error is not None


@dataclass(slots=True)
class _Queue:
    changed: threading.Condition
    waiting: list[_Waiting] = field(default_factory=list)
    has_writer: bool = False
    oldest_s: float = 0.0
    newest_s: float = 0.0


class Gathering:
    """Callers of all targets. Thread-safe; owns its queues, and holds none of their locks while writing."""

    def __init__(self, pace: Pace, clock: Clock, stopping: threading.Event) -> None:
        self._pace = pace
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._queues: dict[WriterKey, _Queue] = {}

    def submit(self, intent: GitIntent, write: Write, deadline: Deadline) -> WriteBackResult:
        """The result of one intent, written together with others; raises ``WriteBackError`` at the deadline."""
        mine = _Waiting(intent)
        key = writer_key(intent.target)
        queue = self._join(key, mine)
        try:
            while not mine.is_done:
                taken = self._take(queue, mine, deadline)
                if taken:
                    self._carry_out(queue, taken, write)
        finally:
            self._forget(key, queue)
        if mine.error is not None:
            raise mine.error
        if mine.result is None:
            raise WriteBackError("the intent was not written", code="internal_error")
        return mine.result

    def _join(self, key: WriterKey, mine: _Waiting) -> _Queue:
        with self._lock:
            queue = self._queues.setdefault(key, _Queue(threading.Condition(self._lock)))
            now_s = self._clock.monotonic_s()
            if not queue.waiting:
                queue.oldest_s = now_s
            queue.newest_s = now_s
            queue.waiting.append(mine)
            queue.changed.notify_all()
            return queue

    def _take(self, queue: _Queue, mine: _Waiting, deadline: Deadline) -> list[_Waiting]:
        """Wait until this caller is done or has to write; what it has to write."""
        with self._lock:
            while not mine.is_done:
                if not queue.has_writer and queue.waiting:
                    left_s = self._left_s(queue)
                    if left_s <= 0:
                        return self._cut(queue)
                else:
                    left_s = deadline.remaining_s()
                if deadline.has_passed and mine in queue.waiting:
                    queue.waiting.remove(mine)
                    raise WriteBackError("the writer of this repository was busy for too long", code="timeout")
                queue.changed.wait(min(left_s, deadline.remaining_s()) or None)
            return []

    def _cut(self, queue: _Queue) -> list[_Waiting]:
        taken = queue.waiting[: self._pace.max_batch]
        del queue.waiting[: self._pace.max_batch]
        queue.oldest_s = queue.newest_s
        queue.has_writer = True
        return taken

    def _left_s(self, queue: _Queue) -> float:
        """Seconds until the queue is flushed."""
        if self._stopping.is_set() or len(queue.waiting) >= self._pace.max_batch:
            return 0.0
        now_s = self._clock.monotonic_s()
        idle = queue.newest_s + self._pace.idle_s - now_s
        return min(idle, queue.oldest_s + self._pace.flush_interval_s - now_s)

    def _carry_out(self, queue: _Queue, taken: list[_Waiting], write: Write) -> None:
        error: BaseException | None = None
        results: dict[int, WriteBackResult] = {}
        try:
            for result in write([waiting.intent for waiting in taken]):
                results[id(result.change_set)] = result
        except BaseException as problem:  # noqa: BLE001 - goes to every caller that waits for it
            error = problem
        with self._lock:
            for waiting in taken:
                waiting.result = results.get(id(waiting.intent.change_set))
                waiting.error = error or _lost(waiting)
            queue.has_writer = False
            queue.changed.notify_all()

    def _forget(self, key: WriterKey, queue: _Queue) -> None:
        with self._lock:
            if not queue.waiting and not queue.has_writer and self._queues.get(key) is queue:
                del self._queues[key]


def _lost(waiting: _Waiting) -> BaseException | None:
    return None if waiting.result else WriteBackError("the intent got no result", code="internal_error")
