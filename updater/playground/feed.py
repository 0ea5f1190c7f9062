"""Live events for Watch: one bounded buffer per subscriber, overflow dropped in silence as the server does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from updater.playground.refusals import Refusal
from updater.playground.store import StoredApplication

# ARGOCD_WATCH_API_BUFFER_SIZE's default (argocd-api.md 7.3).
BUFFER_EVENTS = 1000


class EventType(Enum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one Application; a deletion carries the last known object."""

    type: EventType
    application: StoredApplication


class Subscription:
    """Events of one watcher, as an iterator that blocks and ends with ``close``; thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._is_closed = False
        self._refusal: Refusal | None = None

    def offer(self, event: Event) -> None:
        with self._changed:
            if len(self._events) < BUFFER_EVENTS:
                self._events.append(event)
                self._changed.notify_all()

    def close(self, refusal: Refusal | None = None) -> None:
        """End the iteration; what waits in the buffer is dropped. With a refusal, the iteration raises it."""
        with self._changed:
            self._is_closed = True
            self._refusal = refusal
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Event]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._events or self._is_closed)
                if self._refusal is not None:
                    raise self._refusal
                if self._is_closed:
                    return
                event = self._events.popleft()
            yield event


class Feed:
    """The subscribers of one world. Not locked: the world holds its own lock around every call."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []
        self._to_lose = 0

    @property
    def watchers(self) -> int:
        return len(self._subscriptions)

    def subscribe(self) -> Subscription:
        subscription = Subscription()
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)

    def lose_next(self) -> None:
        """Deliver the next event to nobody, one of the documented ways in which Watch loses events."""
        self._to_lose += 1

    def end_all(self, refusal: Refusal | None) -> None:
        for each in self._subscriptions:
            each.close(refusal)

    def publish(self, event: Event) -> None:
        if self._to_lose:
            self._to_lose -= 1
            return
        for each in self._subscriptions:
            each.offer(event)
