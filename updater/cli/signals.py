"""Signals while a command runs (``runtime.md`` 3.10): the first asks for a graceful end, the second ends at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Shutdown:
    """Owns the handlers of SIGINT, SIGTERM and SIGHUP between enter and exit. For the main thread.

    The handlers neither log nor print: a signal may arrive in the middle of a write to the same stream.
    """

    def __init__(self) -> None:
        self._is_requested = False
        self._stop: Callable[[], None] | None = None
        self._before: dict[int, object] = {}

    @property
    def is_requested(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._is_requested

    def stops(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` at the first signal, or now when it has come already."""
        self._stop = stop
        if self._is_requested:
            stop()

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
        if self._stop is not None:
            self._stop()
