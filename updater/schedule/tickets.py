"""What became of an event: the attempts that it asked for, until the last of them has ended (``runtime.md`` 4.4).

An attempt that runs when the event comes does not count, because it may have looked before; the one after it does.
"""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from updater.model.images import Counter
from updater.model.references import ImageRepository
from updater.ports.log import EventLog


@dataclass(slots=True)
class _Ticket:
    log: EventLog
    repositories: frozenset[ImageRepository]
    waiting: set[str]
    sums: Tally[str] = field(default_factory=Tally)


class Tickets:
    """Open events. Thread-safe; nothing is called while the lock is held."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, list[_Ticket]] = {}
        self._running: dict[str, list[_Ticket]] = {}
        self._open: list[_Ticket] = []

    def open(self, keys: Collection[str], repositories: frozenset[ImageRepository], log: EventLog) -> None:
        """An event asks for an attempt at each of these; ``log`` gets the record of its end."""
        if not keys:
            return
        ticket = _Ticket(log, repositories, set(keys))
        with self._changed:
            self._open.append(ticket)
            for key in keys:
                self._waiting.setdefault(key, []).append(ticket)

    def began(self, keys: Iterable[str]) -> None:
        """Attempts begin: they count for the events that wait for them."""
        with self._changed:
            for key in keys:
                if key in self._waiting:
                    self._running.setdefault(key, []).extend(self._waiting.pop(key))

    def counted(self, key: str, counts: Mapping[str, int]) -> None:
        """What an attempt that runs came to, by the words of ``Counter``."""
        with self._changed:
            for ticket in self._running.get(key, ()):
                ticket.sums.update(counts)

    def ended(self, key: str) -> None:
        """The attempt is over."""
        self._leave(key, self._running)

    def gone(self, key: str) -> None:
        """The Application has left the fleet: nobody waits for it any more."""
        self._leave(key, self._waiting)

    def is_open_about(self, repository: ImageRepository) -> bool:
        """Whether the users of this repository are being attempted because of an event."""
        with self._changed:
            return any(repository in ticket.repositories for ticket in self._open)

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until nothing is open; False when time was up."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout_s)

    def _leave(self, key: str, place: dict[str, list[_Ticket]]) -> None:
        done = []
        with self._changed:
            for ticket in place.pop(key, ()):
                ticket.waiting.discard(key)
                if not ticket.waiting:
                    self._open.remove(ticket)
                    done.append(ticket)
            if done:
                self._changed.notify_all()
        for ticket in done:
            ticket.log.info("webhook_finished", **_summary(ticket.sums))


def _summary(sums: Tally[str]) -> dict[str, int]:
    return {
        "processed": sums["applications"],
        "updated": sums[Counter.UPDATED.value],
        "errors": sums[Counter.ERRORS.value],
        "skipped": sums[Counter.SKIPPED.value],
    }
