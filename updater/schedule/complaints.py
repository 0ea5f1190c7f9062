"""Errors that repeat: the same one is recorded once per minute (``runtime.md`` 3.4)."""

from __future__ import annotations

from collections.abc import Callable

from updater.clock import Clock
from updater.errors import UpdaterError
from updater.ports.log import EventLog

SILENCE_S = 60.0

Listener = Callable[[UpdaterError | None], None]
"""Hears of each failure, and with None of each success."""


def nobody_hears(error: UpdaterError | None) -> None:
    """Nobody wants to know."""
    del error


class Complaints:
    """Records the failures of one activity under one event name. Used by one thread at a time."""

    def __init__(self, event: str, clock: Clock, log: EventLog, tell: Listener = nobody_hears) -> None:
        self._event = event
        self._tell = tell
        self._clock = clock
        self._log = log
        self._said = ""
        self._said_at_s = 0.0

    def failed(self, error: UpdaterError) -> None:
        """An error record, unless the last one said the same less than a minute ago."""
        self._tell(error)
        now_s = self._clock.monotonic_s()
        if str(error) == self._said and now_s - self._said_at_s < SILENCE_S:
            self._log.debug(f"{self._event}_again", code=error.code)
            return
        self._said, self._said_at_s = str(error), now_s
        self._log.error(self._event, exception=error, code=error.code, error=str(error))

    def recovered(self) -> None:
        """The next failure is news again."""
        self._tell(None)
        self._said = ""
