"""The state of a simulated installation, as the services see it.

Everything is in memory and thread-safe. The services ask and write through this class; a test or the demo changes
it through ``World``, which adds those changes in one line each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from generated.application_messages_pb2 import Application
from updater.clock import Clock, SystemClock
from updater.model.applications import ApplicationKey
from updater.playground.access import Access, Caller
from updater.playground.call_log import CallRecord, Log
from updater.playground.environment import Environment, Project
from updater.playground.feed import Event, EventType, Feed, Subscription
from updater.playground.script import Script
from updater.playground.store import StoredApplication, is_same_content, stored
from updater.playground.tokens import Claims

# An arbitrary start, so that a test that confuses a version with an index fails.
_FIRST_VERSION = 48_000


class WorldState:
    """Applications, logins, policies, settings, watchers; one lock around all of them."""

    def __init__(self, environment: Environment | None = None, *, clock: Clock | None = None) -> None:
        self.log: Log[CallRecord] = Log()
        self.script = Script()
        self._lock = threading.RLock()
        self._watchers_changed = threading.Condition(self._lock)
        self._environment = environment or Environment()
        self._access = Access(clock or SystemClock())
        self._applications: dict[ApplicationKey, StoredApplication] = {}
        self._projects: dict[str, Project] = {}
        self._feed = Feed()
        self._version = _FIRST_VERSION

    @property
    def environment(self) -> Environment:
        with self._lock:
            return self._environment

    def project(self, name: str) -> Project | None:
        with self._lock:
            return self._projects.get(name)

    def find(self, key: ApplicationKey) -> StoredApplication | None:
        with self._lock:
            return self._applications.get(key)

    def applications_and_version(self) -> tuple[tuple[StoredApplication, ...], int]:
        """All Applications, unsorted, with the last version given out."""
        with self._lock:
            return tuple(self._applications.values()), self._version

    def change_current(self, key: ApplicationKey, change: Callable[[Application], object]) -> StoredApplication | None:
        """Apply a change to what is stored now; None when the Application is gone. No change, no new version."""
        with self._lock:
            current = self._applications.get(key)
            if current is None:
                return None
            message = current.message()
            change(message)
            return current if is_same_content(current, stored(message, current.version)) else self._put(message)

    @contextmanager
    def watch(self) -> Iterator[tuple[Subscription, tuple[StoredApplication, ...]]]:
        """A subscription, and the Applications at the moment it began."""
        with self._watchers_changed:
            subscription = self._feed.subscribe()
            present = tuple(self._applications.values())
            self._watchers_changed.notify_all()
        try:
            yield subscription, present
        finally:
            with self._watchers_changed:
                self._feed.unsubscribe(subscription)
                self._watchers_changed.notify_all()

    def verify(self, token: str) -> Claims:
        """The claims of a good token; a ``Refusal`` for any other."""
        with self._lock:
            return self._access.verify(token)

    def successor(self, claims: Claims) -> str | None:
        """The token that replaces a login token about to expire, else None."""
        with self._lock:
            return self._access.successor(claims, self._environment.session_s)

    def log_in(self, username: str, password: str) -> str:
        with self._lock:
            return self._access.log_in(username, password, self._environment.session_s)

    def allows(self, caller: Caller, resource: str, action: str, target: str) -> bool:
        with self._lock:
            return self._access.allows(caller, resource, action, target)

    def _put(self, message: Application) -> StoredApplication:
        self._version += 1
        new = stored(message, self._version)
        kind = EventType.MODIFIED if new.key in self._applications else EventType.ADDED
        self._applications[new.key] = new
        self._feed.publish(Event(kind, new))
        return new
