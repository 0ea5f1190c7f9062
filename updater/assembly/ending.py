"""The end of a process: one deadline, in which every step of the written order gets what the steps before it left.

The clock starts at the first call of ``begin``. With T for the shutdown timeout (``IMAGE_UPDATER_SHUTDOWN_TIMEOUT``,
``runtime.md`` 3.10):

* until T/2 events of webhooks are handed on; attempts that they ask for need time of their own, and what was in flight
  at the signal, a push above all, is not to pay for them;
* until T work in flight goes on; then it is named in a record, connections are cut and git is ended;
* until T + 2.5 s what was cut may say what became of it;
* until T + 4 s listeners answer what they have begun to answer;
* at T + 5 s the process ends, whatever still hangs. A pod gets 30 s by default, five more than 20 s and all of this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from updater.assembly.surroundings import Surroundings
from updater.assembly.underway import WritesUnderway
from updater.clock import Countdown, Deadline, render_duration

EVENTS_SHARE = 0.5
"""Of the shutdown timeout, for events of webhooks."""

REPORTING_S = 2.5
"""After the cut: git is killed two seconds after it was asked to end, and the writer says so a moment later."""

ANSWERING_S = 4.0
"""After the cut, for listeners; a connection that hangs takes one second more."""

LONGEST_CLOSING_S = 5.0
"""After the shutdown timeout, until the process ends by force: the grace period of a pod must be longer than both."""

LISTENERS_S = 2.0
"""For answers that are on their way when everything else has ended, where there is time enough."""

LastResort = Callable[[], None]
"""Ends the process at once, from any thread."""


class Ending:
    """One per process. Thread-safe; ``begin`` may be called again, ``close`` comes last.

    ``last_resort`` None: nobody ends this process by force, as in tests that run in a process of their own making.
    """

    def __init__(
        self,
        timeout_s: float,
        around: Surroundings,
        underway: WritesUnderway,
        last_resort: LastResort | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._around = around
        self._underway = underway
        self._last_resort = last_resort
        self._events = Countdown(around.clock, timeout_s * EVENTS_SHARE)
        self.reports = Countdown(around.clock, timeout_s + REPORTING_S)
        """By when work that was in flight must have ended, cut off or not."""
        self._answers = Countdown(around.clock, timeout_s + ANSWERING_S)
        self._lock = threading.Lock()
        self._cut: threading.Timer | None = None
        self._end: threading.Timer | None = None
        self._has_begun = False

    def begin(self, cut: Callable[[], None]) -> None:
        """The end has come: every deadline runs. ``cut`` is called at the shutdown timeout, unless ``close`` is."""
        with self._lock:
            if self._has_begun:
                return
            self._has_begun = True
            for countdown in (self._events, self.reports, self._answers):
                countdown.start()
            self._cut = _timer("shutdown-cut", self._timeout_s, lambda: self._cut_off(cut))
            if self._last_resort is not None:
                self._end = _timer("shutdown-force", self._timeout_s + LONGEST_CLOSING_S, self._force)

    @property
    def events(self) -> Deadline:
        """By when events must have been handed on."""
        return self._events.start()

    @property
    def answers(self) -> Deadline:
        """By when listeners must have closed; the usual time where nobody asked the process to end."""
        usual = Deadline.after(self._around.clock, LISTENERS_S)
        return self._answers.start().sooner(LISTENERS_S) if self._has_begun else usual

    def done_working(self) -> None:
        """Nothing is left to be cut; what remains is to close."""
        with self._lock:
            if self._cut is not None:
                self._cut.cancel()

    def close(self, *, is_idle: bool) -> None:
        """Everything is closed. A process with work that still hangs may not end by itself, so force stays ready."""
        with self._lock:
            if self._end is not None and is_idle:
                self._end.cancel()

    def _cut_off(self, cut: Callable[[], None]) -> None:
        log = self._around.log.bind(**self._underway.fields())
        log.warning("work_cut_off", timeout=render_duration(self._timeout_s))
        cut()

    def _force(self) -> None:
        waited = render_duration(self._timeout_s + LONGEST_CLOSING_S)
        hanging = sorted(each.name for each in threading.enumerate() if not each.daemon)
        self._around.log.bind(**self._underway.fields()).error("end_forced", waited=waited, threads=",".join(hanging))
        if self._last_resort is not None:
            self._last_resort()


def _timer(name: str, seconds: float, work: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.name = name
    timer.daemon = True
    timer.start()
    return timer
