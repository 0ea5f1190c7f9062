"""Signals while a command runs (``runtime.md`` 3.10): the first asks for a graceful end, the second ends at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType, TracebackType
from typing import Self, TypeVar

_ENDING = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY_S = 0.1
"""How long the main thread waits before it lets signals in. One that comes just before a wait does not end that wait,
so a wait without end could keep a signal from its handler."""

_T = TypeVar("_T")


def end_at_once() -> None:
    """End the process from any thread, whatever hangs: a shutdown took longer than it may, which is a failure."""
    os._exit(1)


class Shutdown:
    """Owns the handlers of SIGINT, SIGTERM and SIGHUP between enter and exit. For the main thread.

    The handlers only note that they ran: they interrupt the main thread anywhere, also while it holds the lock that
    stopping or logging would take.
    """

    def __init__(self) -> None:
        self._is_requested = False
        self._before: dict[int, object] = {}

    @property
    def is_requested(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._is_requested

    def guard(self, work: Callable[[], _T], stop: Callable[[], None]) -> _T:
        """What ``work`` returns or raises; it runs in a thread of its own. ``stop`` is called once after a signal."""
        is_stopped = False
        with ThreadPoolExecutor(1, thread_name_prefix="round") as pool:
            future = pool.submit(work)
            while not future.done():
                if self._is_requested and not is_stopped:
                    is_stopped = True
                    stop()
                wait((future,), timeout=_LOOK_EVERY_S)
        return future.result()

    def __enter__(self) -> Self:
        for number in _ENDING:
            self._before[number] = signal.signal(number, self._receive)
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not installed from Python and cannot be put back.
            signal.signal(number, handler if callable(handler) or isinstance(handler, int) else signal.SIG_DFL)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._is_requested:
            os._exit(128 + number)
        self._is_requested = True
