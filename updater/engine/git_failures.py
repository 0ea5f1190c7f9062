"""Changes that could not be written to Git, grouped by cause: one broken repository is one error, however many changes.

The counters count every Application all the same. What concerns one Application alone is said of that Application.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from updater.clock import Clock
from updater.engine.failure_classes import is_standing
from updater.engine.registry_failures import SILENCE_S
from updater.model.applications import ApplicationKey
from updater.model.changes import WriteBackResult

_NAMED = 3
"""Applications that a record names."""
_MAX_CAUSES = 10_000
_Cause = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class GitFailure:
    """One cause and the results it led to, at least one. ``text`` names no Application."""

    repository: str
    code: str
    text: str
    results: tuple[WriteBackResult, ...]

    @property
    def cause(self) -> _Cause:
        return self.repository, self.code, self.text

    @property
    def applications(self) -> frozenset[ApplicationKey]:
        return frozenset(result.change_set.application for result in self.results)


def group_git_failures(results: Iterable[WriteBackResult]) -> tuple[GitFailure, ...]:
    """The causes in the order in which they were met; results for other targets than Git do not count."""
    groups: dict[_Cause, list[WriteBackResult]] = {}
    for result in results:
        target = result.change_set.git
        if target is not None:
            text = result.error.removeprefix(f"{result.change_set.application}: ")
            groups.setdefault((str(target.remote), result.error_code, text), []).append(result)
    return tuple(GitFailure(*cause, tuple(found)) for cause, found in groups.items())


def examples_of(applications: frozenset[ApplicationKey]) -> str:
    """The first by name."""
    names = sorted(map(str, applications))
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


@dataclass(slots=True)
class _Said:
    at_s: float
    left_out: set[ApplicationKey] = field(default_factory=set)


class SaidGitFailures:
    """Which causes were said already, and whom they have met since. Thread-safe.

    One that may pass is said again after a minute; one that stays until somebody mends something only after a success.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[_Cause, _Said] = {}

    def take(self, failure: GitFailure) -> frozenset[ApplicationKey]:
        """Of whom to say a cause now; nobody while it is known."""
        met = failure.applications
        now_s = self._clock.monotonic_s()
        with self._lock:
            said = self._said.get(failure.cause)
            if said is not None and (is_standing(failure.code) or now_s - said.at_s < SILENCE_S):
                said.left_out |= met
                return frozenset()
            if len(self._said) >= _MAX_CAUSES:
                self._said.clear()
            self._said[failure.cause] = _Said(now_s)
        return met | said.left_out if said is not None else met

    def forget(self, repository: str) -> None:
        """Something was written there, so that the next failure is news."""
        with self._lock:
            for cause in [cause for cause in self._said if cause[0] == repository]:
                del self._said[cause]
