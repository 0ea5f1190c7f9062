"""Minutes in seconds: a clock that runs faster, for the program and for what it waits with.

Waits that go by the clock are hurried, those of the scheduler library, and total deadlines of HTTP exchanges. Time-outs
of sockets are counted in the clock's seconds and waited for in real ones, but a total deadline always comes first.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

from updater.clock import SystemClock

TICK_S = 0.005
MOST_TICK_S = 0.02
"""A tick that comes later counts for so much: time passes slowly where the machine has no time for the program."""


class HurriedClock(SystemClock):
    """``speed`` seconds to each real one. ``step`` moves the wall time, and nothing else. ``end()`` when done."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self.speed = speed
        self.step = timedelta()
        self.elapsed_s = 0.0
        """Since the start, in seconds of this clock."""
        self._began_s = time.monotonic()
        self._began = super().now()
        self._is_over = threading.Event()
        self._ticking = threading.Thread(target=self._tick)
        self._ticking.start()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.elapsed_s) + self.step

    def monotonic_s(self) -> float:
        return self._began_s + self.elapsed_s

    def wait_s(self, seconds: float) -> bool:
        over_s = self.elapsed_s + seconds
        is_going_on = super().wait_s(seconds / self.speed)
        while is_going_on and self.elapsed_s < over_s:
            is_going_on = super().wait_s(TICK_S)
        return is_going_on

    def end(self) -> None:
        self._is_over.set()
        self._ticking.join()

    def _tick(self) -> None:
        before_s = time.monotonic()
        while not self._is_over.wait(TICK_S):
            now_s = time.monotonic()
            self.elapsed_s += min(now_s - before_s, MOST_TICK_S) * self.speed
            before_s = now_s


def hurried_threading(speed: float) -> SimpleNamespace:
    """What the watchdog of total deadlines is to find under the name ``threading``."""

    class HurriedCondition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(timeout if timeout is None else timeout / speed)

    return SimpleNamespace(Condition=HurriedCondition, Thread=threading.Thread, current_thread=threading.current_thread)


def hurried_event(speed: float) -> type[threading.Event]:
    """What APScheduler is to wait with, in place of its own."""

    class HurriedEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(timeout if timeout is None else min(timeout / speed, threading.TIMEOUT_MAX))

    return HurriedEvent
