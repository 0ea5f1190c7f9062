"""The dispatcher of continuous mode: offers come in, one pass at a time decides, one pool of workers runs.

A pass runs whenever something was offered or a worker got free; what happens during a pass is one more pass. Offers are
a set: a second offer of an Application that waits changes nothing, and one of an Application that runs waits until it
ends. So there are never more offers than Applications, and none is ever refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from updater.clock import Clock
from updater.ports.log import EventLog
from updater.schedule.options import Mode, ScheduleOptions
from updater.schedule.passes import Candidate, Order, Room, SkipReason, order_candidates, start_in_order, start_next
from updater.schedule.state import ScheduleState

ORDER_LIFE_S = 1.0
"""How long an order is good while nothing is offered: only cooldowns that end can change it."""

MANY_OFFERS = 500
"""A queue longer than this keeps its order for that second even when more is offered, as long as it fills the slots.

To sort 10,000 offers takes 12 ms: done for every offer and every worker that gets free, it would take a whole core.
"""

MOST_PARKED = 500
"""Attempts that wait for others without taking up a worker, each with a thread; more of them take up workers."""

_WAKE_S = 60.0


@dataclass(frozen=True, slots=True)
class Offer:
    """An Application that wants a worker. ``is_nudged``: whatever the time of its last attempt."""

    key: str
    repository: str = ""
    is_nudged: bool = False


@dataclass(frozen=True, slots=True)
class DispatchHooks:
    """``work`` runs in a worker and says whether the attempt was a success; the others run in the dispatcher's thread.

    ``on_dispatched`` comes before the work of that Application; ``fleet_size`` is for the automatic number of workers.
    """

    work: Callable[[str], bool]
    on_dispatched: Callable[[str], None]
    on_skipped: Callable[[SkipReason], None]
    fleet_size: Callable[[], int]


class Dispatcher:
    """Owns offers, state and workers. Thread-safe; ``start`` and ``stop`` once each."""

    def __init__(self, options: ScheduleOptions, hooks: DispatchHooks, clock: Clock, log: EventLog) -> None:
        self._options = options
        self._hooks = hooks
        self._clock = clock
        self._log = log
        self._thread = threading.Thread(target=self._dispatch_forever, name="dispatcher", daemon=True)
        self._pool = ThreadPoolExecutor(options.most_workers + MOST_PARKED, "update")
        self._changed = threading.Condition()
        # All below belongs to the condition's lock, and no hook is called while it is held.
        self._state = ScheduleState()
        self._offers: dict[str, Offer] = {}
        self._counted: dict[str, SkipReason] = {}
        self._gone: set[str] = set()
        self._ready: list[Candidate] | None = None
        self._ordered_s = 0.0
        self._is_outdated = False
        self._has_news = False
        self._takes_only_nudged = False
        self._is_stopping = False

    def reconfigure(self, options: ScheduleOptions) -> None:
        """Another interval from the next pass on; the number of workers stays what it was."""
        self._options = options

    def start(self) -> None:
        """Begin to dispatch; offers made before are kept."""
        self._thread.start()

    def offer(self, offers: Iterable[Offer]) -> None:
        """Let the next pass look at them. A nudge stays one, whatever is offered after it."""
        with self._changed:
            for each in offers:
                if self._takes_only_nudged and not each.is_nudged:
                    continue
                known = self._offers.get(each.key)
                is_nudged = each.is_nudged or (known is not None and known.is_nudged)
                self._offers[each.key] = replace(each, is_nudged=is_nudged)
                self._gone.discard(each.key)
            self._is_outdated = True
            self._wake()

    def withdraw(self, key: str) -> None:
        """The Application has left the fleet: it is not dispatched any more, and forgotten once it does not run."""
        with self._changed:
            self._offers.pop(key, None)
            self._counted.pop(key, None)
            self._state.forget(key)
            if self._state.is_running(key):
                self._gone.add(key)
            self._ready = None
            self._wake()

    def keep_only_nudged(self) -> None:
        """Dispatch what is nudged, now and later, and nothing else any more."""
        with self._changed:
            self._takes_only_nudged = True
            self._offers = {key: each for key, each in self._offers.items() if each.is_nudged}
            self._ready = None
            self._wake()

    @contextmanager
    def parked(self, key: str) -> Iterator[None]:
        """For the time of a ``with`` block an attempt only waits for others, and its worker may be used meanwhile.

        What it waits for may be a remote that does not answer, which must not cost Applications of other remotes.
        """
        with self._changed:
            is_parked = self._state.park(key, MOST_PARKED)
            if is_parked:
                self._wake()
        try:
            yield
        finally:
            if is_parked:
                with self._changed:
                    self._state.unpark(key)

    def stop(self) -> None:
        """Dispatch nothing more. Returns at once."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no worker is busy; False when some still are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._state.running, timeout_s)

    def wait_done(self, timeout_s: float) -> bool:
        """Wait until nothing is offered and no worker is busy, or the dispatcher stops; False when time was up."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._is_stopping or not (self._offers or self._state.running), timeout_s
            )

    def close(self) -> None:
        """Give the threads back, after ``stop``. A worker that is still busy ends by itself."""
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(wait=False)

    @property
    def remembered(self) -> int:
        """Applications whose attempts are remembered."""
        with self._changed:
            return len(self._state)

    @property
    def waiting(self) -> int:
        """Applications that are offered and not started."""
        with self._changed:
            return len(self._offers)

    def _wake(self) -> None:
        self._has_news = True
        self._changed.notify_all()

    def _dispatch_forever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._has_news or self._is_stopping, self._patience_s())
                if self._is_stopping:
                    return
            try:
                self._pass()
            except Exception as error:  # noqa: BLE001 - a bug in a hook must not be the end of dispatching
                self._log.error("bug_found", exception=error, error=str(error))

    def _pass(self) -> None:
        workers = self._options.workers_for(self._hooks.fleet_size())
        with self._changed:
            self._has_news = False
            started, skipped = self._decide(workers)
        for key in started:
            self._launch(key)
        for reason in skipped:
            self._hooks.on_skipped(reason)

    def _decide(self, workers: int) -> tuple[tuple[str, ...], list[SkipReason]]:
        """Whom to start, already marked as running, and the reasons to count."""
        now_s = self._clock.monotonic_s()
        room = self._state.room(workers)
        started = self._from_order(now_s, room)
        if started is not None:
            self._mark(started, now_s)
            return started, []
        order = self._order(now_s)
        start = start_in_order(order.ready, now_s, Mode.CONTINUOUS, self._options, room)
        in_flight = ((each.key, SkipReason.IN_FLIGHT) for each in order.running)
        skipped = [reason for key, reason in (*in_flight, *start.skipped) if self._is_news(key, reason)]
        self._mark(start.dispatch, now_s)
        return start.dispatch, skipped

    def _from_order(self, now_s: float, room: Room) -> tuple[str, ...] | None:
        """What the last order still says; None when it must be made anew."""
        if self._ready is None or now_s - self._ordered_s >= ORDER_LIFE_S:
            return None
        if self._is_outdated and len(self._offers) <= MANY_OFFERS:
            return None
        started = start_next(self._ready, self._options, room)
        is_full = room.running + len(started) >= room.workers
        return started if is_full or not self._is_outdated else None

    def _patience_s(self) -> float:
        """An outdated order is looked at again even when nothing happens."""
        return ORDER_LIFE_S if self._is_outdated else _WAKE_S

    def _order(self, now_s: float) -> Order:
        order = order_candidates(
            [self._candidate(each) for each in self._offers.values()], now_s, Mode.CONTINUOUS, self._options
        )
        for each in order.not_due:
            # Its job offers it again when it is due.
            del self._offers[each.key]
            self._counted.pop(each.key, None)
        if order.not_due:
            self._changed.notify_all()
        self._ready = list(order.ready)
        self._ordered_s = now_s
        self._is_outdated = False
        return order

    def _candidate(self, offer: Offer) -> Candidate:
        candidate = self._state.candidate(offer.key, offer.repository)
        return replace(candidate, last_attempt_s=None) if offer.is_nudged else candidate

    def _is_news(self, key: str, reason: SkipReason) -> bool:
        """Whether to count: waiting for the same reason is counted once until the next dispatch (3.6 step 7)."""
        if self._counted.get(key) is reason:
            return False
        self._counted[key] = reason
        return True

    def _mark(self, started: tuple[str, ...], now_s: float) -> None:
        for key in started:
            self._state.began(key, self._offers.pop(key).repository, now_s)
            self._counted.pop(key, None)
        if started and self._ready is not None:
            taken = frozenset(started)
            self._ready = [each for each in self._ready if each.key not in taken]

    def _launch(self, key: str) -> None:
        try:
            self._hooks.on_dispatched(key)
            self._pool.submit(self._run, key)
        except Exception as error:  # noqa: BLE001 - the others that were marked as running must be launched
            self._log.error("bug_found", exception=error, application=key, error=str(error))
            self._ended(key, is_success=False)

    def _run(self, key: str) -> None:
        is_success = False
        try:
            is_success = self._hooks.work(key)
        except Exception as error:  # noqa: BLE001 - a bug met in one Application must not cost the others
            self._log.error("bug_found", exception=error, application=key, error=str(error))
        finally:
            self._ended(key, is_success=is_success)

    def _ended(self, key: str, *, is_success: bool) -> None:
        with self._changed:
            self._state.ended(key, self._clock.monotonic_s(), is_success=is_success)
            if key in self._gone:
                self._gone.discard(key)
                self._state.forget(key)
            self._is_outdated = self._is_outdated or key in self._offers
            self._wake()
