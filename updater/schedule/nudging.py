"""From an event about a repository to attempts at the Applications that use it (``runtime.md`` 7.6).

First what is known of the repository is made stale, then its users are scheduled, so that each of them asks the
registry afresh, once for all of them together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from updater.clock import Clock
from updater.errors import RegistryError
from updater.model.references import ImageRepository
from updater.ports.log import EventLog
from updater.ports.nudges import PushEvent
from updater.schedule.tickets import Tickets
from updater.schedule.users import Users
from updater.transport.redaction import cap_text

Forget = Callable[[ImageRepository], None]
"""Makes what is known of a repository stale. May raise ``RegistryError``."""


class Runner(Protocol):
    """Who schedules attempts, in either mode."""

    @property
    def tickets(self) -> Tickets: ...

    def users_of(self, registry: str, name: str) -> Users: ...

    def nudge(self, keys: Iterable[str]) -> int:
        """Have these attempted soon; those that are not in the fleet are left out."""


class SameUsers(Runner, Protocol):
    """Who schedules each Application on its own."""

    def users_of_same(self, repository: ImageRepository) -> Users: ...


class PollNudges:
    """What polls find out about a repository concerns everybody who uses it (``registries.md`` 6.3). Thread-safe.

    Those who poll with credentials of their own find the same change one after the other. ``quiet_s``, half an
    interval, keeps them from nudging everybody each time; two polls with the same credentials are further apart.
    """

    def __init__(self, runner: SameUsers, clock: Clock, quiet_s: float, log: EventLog) -> None:
        self._runner = runner
        self._clock = clock
        self._quiet_s = quiet_s
        self._log = log
        self._lock = threading.Lock()
        self._told_s: dict[ImageRepository, float] = {}
        """The latest last, and nothing that is older than ``quiet_s``."""

    def quiet_for(self, quiet_s: float) -> None:
        """Another ``quiet_s`` from now on."""
        with self._lock:
            self._quiet_s = quiet_s

    def tags_changed(self, repository: ImageRepository) -> None:
        """A poll found other tags: who has just used the old ones need not wait for his turn.

        While an event about the repository is open all its users are attempted anyway.
        """
        if self._runner.tickets.is_open_about(repository) or not self._is_news(repository):
            return
        count = self._runner.nudge(self._runner.users_of_same(repository).keys)
        self._log.debug("tags_changed", repository=repository.full_name, applications=count)

    def _is_news(self, repository: ImageRepository) -> bool:
        now_s = self._clock.monotonic_s()
        with self._lock:
            while self._told_s:
                oldest = next(iter(self._told_s))
                if now_s - self._told_s[oldest] < self._quiet_s:
                    break
                del self._told_s[oldest]
            if repository in self._told_s:
                return False
            self._told_s[repository] = now_s
            return True


class FleetNudges:
    """``updater.ports.nudges.Nudges`` over a runner. Thread-safe."""

    def __init__(self, runner: Runner, forget: Forget, log: EventLog) -> None:
        self._runner = runner
        self._forget = forget
        self._log = log

    def nudge(self, event: PushEvent) -> int:
        """The number of Applications that use the repository."""
        users = self._runner.users_of(event.registry, event.repository)
        for repository in sorted(users.repositories):
            self._forget_guarded(repository)
        log = self._log.bind(
            registry=cap_text(event.registry), repository=cap_text(event.repository), tag=cap_text(event.tag)
        )
        log.info("webhook_matched", applications=len(users.keys))
        self._runner.tickets.open(users.keys, users.repositories, log)
        for key in users.keys:
            log.info("webhook_triggered", application=key)
        self._runner.nudge(users.keys)
        return len(users.keys)

    def _forget_guarded(self, repository: ImageRepository) -> None:
        try:
            self._forget(repository)
        except RegistryError as error:
            # Nothing is known of what may not be asked; the attempts say so, each for its own image.
            self._log.debug("repository_not_forgotten", repository=repository.full_name, error=str(error))

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until every attempt that an event asked for has ended."""
        return self._runner.tickets.wait_settled(timeout_s)
