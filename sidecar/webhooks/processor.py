"""The thread that hands events on, one after the other, no faster than the operator allows (``runtime.md`` 7.6).

Events that come before the fleet is known wait (3.1, 13). At the end those that were accepted are still handed on,
without regard to the rate: each was answered with the promise that it would be (3.10).
"""

from __future__ import annotations

import threading

from sidecar.webhooks.rate_limit import RateLimit
from sidecar.webhooks.repeats import Repeats
from sidecar.webhooks.waiting import Put, WaitingEvents
from updater.clock import Clock, Deadline
from updater.errors import UpdaterError
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.ports.nudges import Nudges, PushEvent
from updater.transport.redaction import cap_text

_WAKE_S = 60.0


class EventProcessor:
    """Owns the waiting events and the thread. Thread-safe; ``start`` and ``stop`` once each."""

    def __init__(self, nudges: Nudges, per_hour: int, clock: Clock, log: EventLog, metrics: Metrics) -> None:
        self._nudges = nudges
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._repeats = Repeats(clock)
        self._thread = threading.Thread(target=self._run, name="webhook-events", daemon=True)
        self._changed = threading.Condition()
        # All below belongs to the condition's lock, and nothing else is called while it is held.
        self._waiting = WaitingEvents()
        self._rate = RateLimit(per_hour, clock.monotonic_s())
        self._is_open = False
        self._is_busy = False
        self._is_last_call = False
        self._is_stopped = False

    def start(self) -> None:
        """Begin to hand on, once ``open`` was called too."""
        self._thread.start()

    def open(self) -> None:
        """The Applications are known. Harmless when it is called again."""
        with self._changed:
            if not self._is_open:
                self._is_open = True
                self._changed.notify_all()

    def limit(self, per_hour: int) -> None:
        """Another rate from now on; 0 is no limit. The same one goes on as it was."""
        with self._changed:
            if per_hour != self._rate.per_hour:
                self._rate = RateLimit(per_hour, self._clock.monotonic_s())
                self._changed.notify_all()

    def put(self, event: PushEvent) -> None:
        """Have an event handed on soon. Returns at once."""
        with self._changed:
            put = self._waiting.put(event, self._clock.monotonic_s())
            count = len(self._waiting)
            self._changed.notify_all()
        self._metrics.increase("webhook_events_total", result=put.value)
        self._metrics.set("webhook_queue_length", count)
        if put is Put.DROPPED:
            self._say_dropped(event, count)

    def drain(self, deadline: Deadline) -> bool:
        """Hand on everything that waits, and wait until what was nudged is done; False when time was up."""
        with self._changed:
            self._is_last_call = True
            self._changed.notify_all()
            is_empty = self._changed.wait_for(
                lambda: self._is_stopped or not (self._is_open and (self._waiting or self._is_busy)),
                deadline.remaining_s(),
            )
        return is_empty and self._nudges.wait_settled(deadline.remaining_s())

    def stop(self) -> None:
        """Hand on nothing more. Returns at once."""
        with self._changed:
            left = 0 if self._is_stopped else len(self._waiting)
            self._is_stopped = True
            self._changed.notify_all()
        if left:
            self._log.warning("webhook_events_left", count=left)

    def join(self, timeout_s: float) -> None:
        """Wait for the thread, after ``stop``."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (event := self._next()) is not None:
            self._hand_on_guarded(event)
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> PushEvent | None:
        """The next event, as soon as it may be handed on; None at the end."""
        with self._changed:
            while not self._is_stopped:
                now_s = self._clock.monotonic_s()
                event = self._take(now_s)
                if event is not None:
                    self._is_busy = True
                    return event
                self._changed.wait(self._patience_s(now_s))
        return None

    def _take(self, now_s: float) -> PushEvent | None:
        if not self._is_open or (self._rate.delay_s(now_s) > 0 and not self._is_last_call):
            return None
        event = self._waiting.take(now_s, is_last_call=self._is_last_call)
        if event is not None:
            self._rate.spend(now_s)
        return event

    def _patience_s(self, now_s: float) -> float:
        next_s = self._waiting.next_s()
        if next_s is None or not self._is_open:
            return _WAKE_S
        return min(_WAKE_S, max(next_s - now_s, self._rate.delay_s(now_s)))

    def _hand_on_guarded(self, event: PushEvent) -> None:
        """One event; the one catching place of this thread."""
        log = self._log.bind(
            registry=cap_text(event.registry), repository=cap_text(event.repository), tag=cap_text(event.tag)
        )
        log.info("webhook_processed")
        try:
            count = self._nudges.nudge(event)
        except UpdaterError as error:
            log.error("webhook_failed", exception=error, code=error.code, error=str(error))
            self._metrics.increase("webhook_events_total", result="failed")
        except Exception as error:  # noqa: BLE001 - a bug met in one event must not be the end of all
            log.error("bug_found", exception=error, error=str(error))
            self._metrics.increase("webhook_events_total", result="failed")
        else:
            self._metrics.increase("webhook_events_total", result="processed" if count else "unmatched")
        with self._changed:
            left = len(self._waiting)
        self._metrics.set("webhook_queue_length", left)

    def _say_dropped(self, event: PushEvent, count: int) -> None:
        left_out = self._repeats.news(("dropped",))
        if left_out is not None:
            repository = cap_text(f"{event.registry}/{event.repository}")
            self._log.warning("webhook_event_dropped", repository=repository, waiting=count, left_out=left_out)
