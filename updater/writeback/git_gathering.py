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
    """One caller. ``woken`` says that it is done, or leads its queue now."""

    intent: GitIntent
    arrived_s: float
    woken: threading.Event = field(default_factory=threading.Event)
    result: WriteBackResult | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.result is not None or self.error is not None


@dataclass(slots=True)
class _Queue:
    """``leader`` waits for the moment to write, or writes; nobody else waits for ``full``."""

    full: threading.Condition
    waiting: list[_Waiting] = field(default_factory=list)
    leader: _Waiting | None = None


class Gathering:
    """Callers of all targets. Thread-safe; owns its queues, and holds none of their locks while writing.

    Hundreds may wait at a time: each has an event of its own, so that nobody is woken for the sake of another.
    """

    def __init__(self, pace: Pace, clock: Clock, stopping: threading.Event) -> None:
        self._pace = pace
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._queues: dict[WriterKey, _Queue] = {}

    def submit(self, intent: GitIntent, write: Write, deadline: Deadline) -> WriteBackResult:
        """The result of one intent, written together with others; raises ``WriteBackError`` at the deadline."""
        mine = _Waiting(intent, self._clock.monotonic_s())
        key = writer_key(intent.target)
        queue = self._join(key, mine)
        try:
            while not mine.is_done:
                if queue.leader is mine:
                    self._carry_out(self._await_flush(queue, mine, deadline), write)
                else:
                    self._follow(queue, mine, deadline)
        finally:
            self._leave(key, queue, mine)
        if mine.error is not None:
            raise mine.error
        if mine.result is None:
            raise WriteBackError("the intent was not written", code="internal_error")
        return mine.result

    def _join(self, key: WriterKey, mine: _Waiting) -> _Queue:
        with self._lock:
            queue = self._queues.setdefault(key, _Queue(threading.Condition(self._lock)))
            queue.waiting.append(mine)
            if queue.leader is None:
                queue.leader = mine
            elif len(queue.waiting) >= self._pace.max_batch:
                queue.full.notify()
            return queue

    def _follow(self, queue: _Queue, mine: _Waiting, deadline: Deadline) -> None:
        """Wait until somebody has written for this caller, or made it the leader."""
        if not mine.woken.wait(deadline.remaining_s()):
            with self._lock:
                if mine in queue.waiting and queue.leader is not mine:
                    queue.waiting.remove(mine)
                    raise _too_late()
            mine.woken.wait()  # it is being written, in the time of who writes it
        mine.woken.clear()

    def _await_flush(self, queue: _Queue, mine: _Waiting, deadline: Deadline) -> list[_Waiting]:
        """What the leader has to write, itself among them."""
        with self._lock:
            while (left_s := self._left_s(queue)) > 0:
                if deadline.has_passed:
                    queue.waiting.remove(mine)
                    raise _too_late()
                queue.full.wait(min(left_s, deadline.remaining_s()))
            taken = queue.waiting[: self._pace.max_batch]
            del queue.waiting[: self._pace.max_batch]
            return taken

    def _left_s(self, queue: _Queue) -> float:
        """Seconds until the queue is flushed."""
        if self._stopping.is_set() or len(queue.waiting) >= self._pace.max_batch:
            return 0.0
        oldest, newest = queue.waiting[0], queue.waiting[-1]
        idle_at_s = newest.arrived_s + self._pace.idle_s
        return min(idle_at_s, oldest.arrived_s + self._pace.flush_interval_s) - self._clock.monotonic_s()

    def _carry_out(self, taken: list[_Waiting], write: Write) -> None:
        error: BaseException | None = None
        results: dict[int, WriteBackResult] = {}
        try:
            for result in write([waiting.intent for waiting in taken]):
                results[id(result.change_set)] = result
        except BaseException as problem:  # noqa: BLE001 - goes to every caller that waits for it
            error = problem
        for waiting in taken:
            waiting.result = results.get(id(waiting.intent.change_set))
            waiting.error = error or _lost(waiting)
            waiting.woken.set()

    def _leave(self, key: WriterKey, queue: _Queue, mine: _Waiting) -> None:
        """The next who waits leads; without one the queue is forgotten."""
        with self._lock:
            if queue.leader is not mine:
                return
            queue.leader = queue.waiting[0] if queue.waiting else None
            if queue.leader is not None:
                queue.leader.woken.set()
            elif self._queues.get(key) is queue:
                del self._queues[key]


def _lost(waiting: _Waiting) -> BaseException | None:
    return None if waiting.result else WriteBackError("the intent got no result", code="internal_error")


def _too_late() -> WriteBackError:
    return WriteBackError("the writer of this repository was busy for too long", code="timeout")
