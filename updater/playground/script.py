"""What the world has been told to do at the next calls: refuse, run a rival, conflict, lose the answer.

``Script`` has its own lock and never holds it while a callback runs.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from enum import Enum

from updater.playground.refusals import ConnectionLost, Refusal

Callback = Callable[[], object]


class Moment(Enum):
    """When in a call a callback runs."""

    BEFORE = "before the first read"
    DURING = "between the read and the write"
    AFTER = "after the call, before the answer leaves"


class Script:
    """Planned events by method path, each used once, in the order they were planned."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: defaultdict[str, deque[Refusal]] = defaultdict(deque)
        self._callbacks: defaultdict[tuple[str, Moment], deque[Callback]] = defaultdict(deque)
        self._conflicts: defaultdict[str, int] = defaultdict(int)
        self._lost: defaultdict[str, int] = defaultdict(int)

    def plan_refusal(self, path: str, refusal: Refusal) -> None:
        with self._lock:
            self._refusals[path].append(refusal)

    def plan_callback(self, path: str, moment: Moment, callback: Callback) -> None:
        with self._lock:
            self._callbacks[path, moment].append(callback)

    def plan_conflicts(self, path: str, times: int) -> None:
        with self._lock:
            self._conflicts[path] += times

    def plan_lost_answer(self, path: str) -> None:
        with self._lock:
            self._lost[path] += 1

    def raise_planned(self, path: str) -> None:
        """Raise the next planned ``Refusal`` of this method, if there is one."""
        with self._lock:
            planned = self._refusals[path]
            refusal = planned.popleft() if planned else None
        if refusal is not None:
            raise refusal

    def run(self, path: str, moment: Moment) -> None:
        """Run the next callback planned for this moment, if there is one."""
        with self._lock:
            planned = self._callbacks[path, moment]
            callback = planned.popleft() if planned else None
        if callback is not None:
            callback()

    def takes_conflict(self, path: str) -> bool:
        """Whether this write attempt meets a conflict; uses one up."""
        return self._take(self._conflicts, path)

    def raise_if_lost(self, path: str) -> None:
        """Raise ``ConnectionLost`` when this call's answer is to be lost; uses one up."""
        if self._take(self._lost, path):
            raise ConnectionLost

    def _take(self, counts: defaultdict[str, int], path: str) -> bool:
        with self._lock:
            if counts[path] == 0:
                return False
            counts[path] -= 1
            return True
