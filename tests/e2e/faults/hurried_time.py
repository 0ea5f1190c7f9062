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


class HurriedClock(SystemClock):
    """``speed`` seconds to each real one. ``step`` moves the wall time, and nothing else."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self.speed = speed
        self.step = timedelta()
        self._began_s = time.monotonic()
        self._began = super().now()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.elapsed_s) + self.step

    def monotonic_s(self) -> float:
        return self._began_s + self.elapsed_s

    def wait_s(self, seconds: float) -> bool:
        return super().wait_s(seconds / self.speed)

    @property
    def elapsed_s(self) -> float:
        """Since the start, in seconds of this clock."""
        return (time.monotonic() - self._began_s) * self.speed


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
