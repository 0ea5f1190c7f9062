"""Total deadlines: one thread that interrupts whatever is still running when its time is up.

Timeouts of a socket count from the last byte, so a peer that sends one byte now and then never trips them. The
watchdog holds the deadlines of the exchanges that run and calls their ``interrupt`` when one passes.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

from updater.clock import Deadline

_COMPACT_ABOVE = 256
"""Entries of finished work that may pile up before the heap is built afresh."""


class WatchdogClosed(Exception):
    """Nobody watches deadlines any more."""


class Watch:
    """One deadline being watched; ``done()`` when the work has ended."""

    __slots__ = ("deadline", "interrupt", "is_done")

    def __init__(self, deadline: Deadline, interrupt: Callable[[], None]) -> None:
        self.deadline = deadline
        self.interrupt = interrupt
        self.is_done = False

    def done(self) -> None:
        """Stop watching. Cheap: the entry leaves the heap later, and until then holds nothing of the work."""
        self.is_done = True
        self.interrupt = _do_nothing


def _do_nothing() -> None:
    """What a watch does once its work has ended."""


class Watchdog:
    """Watches deadlines in one daemon thread, started by the first and ended by ``close()``. Thread-safe.

    Its lock is never held while ``interrupt`` runs.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Watch]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, deadline: Deadline, interrupt: Callable[[], None]) -> Watch:
        """Call ``interrupt`` from another thread when the deadline passes, unless ``done()`` came first.

        Raises ``WatchdogClosed``.
        """
        watch = Watch(deadline, interrupt)
        with self._condition:
            if self._closed:
                raise WatchdogClosed
            if len(self._heap) > _COMPACT_ABOVE:
                self._compact()
            heapq.heappush(self._heap, (deadline.at_s, next(self._order), watch))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if self._heap[0][2] is watch:
                self._condition.notify()
        return watch

    def close(self) -> None:
        """End the thread; deadlines that still run are no longer watched."""
        with self._condition:
            self._closed = True
            self._heap.clear()
            self._condition.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _compact(self) -> None:
        alive = [entry for entry in self._heap if not entry[2].is_done]
        if len(alive) <= len(self._heap) // 2:
            heapq.heapify(alive)
            self._heap = alive

    def _run(self) -> None:
        while True:
            watch = self._next_due()
            if watch is None:
                return
            watch.interrupt()

    def _next_due(self) -> Watch | None:
        with self._condition:
            while not self._closed:
                while self._heap and self._heap[0][2].is_done:
                    heapq.heappop(self._heap)
                if not self._heap:
                    self._condition.wait()
                elif self._heap[0][2].deadline.has_passed:
                    return heapq.heappop(self._heap)[2]
                else:
                    self._condition.wait(self._heap[0][2].deadline.remaining_s())
        return None
