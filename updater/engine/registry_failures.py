"""Images that a registry did not answer for, grouped by cause: one broken registry is one error, whatever its images.

The counters count every image all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from updater.clock import Clock
from updater.model.applications import ApplicationKey
from updater.model.images import Counter, Decision, Reason

_REASONS = frozenset(
    {Reason.TAGS_UNAVAILABLE, Reason.METADATA_UNKNOWN, Reason.CREDENTIALS_FAILED, Reason.ENDPOINT_UNKNOWN}
)
_PER_REPOSITORY = frozenset({"repository_unknown", "invalid_reference"})
"""Codes that speak of one repository: two of them on one registry are two causes."""

_NAMED = 3
"""Images that a record names."""

SILENCE_S = 60.0
"""Between two records of one cause: in continuous mode every Application of a broken registry meets it."""
_MAX_CAUSES = 10_000


def is_registry_failure(decision: Decision) -> bool:
    """Whether an image failed for a reason that it may share with the other images of its registry: not for a bug."""
    is_bug = decision.error_code == "internal_error"
    return Counter.ERRORS in decision.counts and decision.reason in _REASONS and not is_bug


@dataclass(frozen=True, slots=True)
class RegistryFailure:
    """One cause and the decisions it led to, at least one."""

    registry: str
    code: str
    decisions: tuple[Decision, ...]

    @property
    def examples(self) -> str:
        """The first images by name."""
        names = list(dict.fromkeys(decision.plan.repository.full_name for decision in self.decisions))
        return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")

    @property
    def applications(self) -> int:
        return len({decision.plan.application for decision in self.decisions})


def group_registry_failures(decisions: Iterable[Decision]) -> tuple[RegistryFailure, ...]:
    """The causes in the order in which they were met."""
    groups: dict[tuple[str, str, str], list[Decision]] = {}
    for decision in decisions:
        if is_registry_failure(decision):
            groups.setdefault(_cause(decision), []).append(decision)
    return tuple(RegistryFailure(registry, code, tuple(found)) for (registry, code, _), found in groups.items())


def _cause(decision: Decision) -> tuple[str, str, str]:
    repository = decision.plan.repository
    code = decision.error_code or decision.reason.value
    return repository.registry, code, repository.full_name if code in _PER_REPOSITORY else ""


@dataclass(slots=True)
class _Said:
    at_s: float
    left_out: set[tuple[ApplicationKey, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Extent:
    """How many images, of how many Applications, a cause has met since it was last said."""

    images: int
    applications: int


class SaidFailures:
    """Which causes were said less than a minute ago, and whom they have met since. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str, str], _Said] = {}

    def take(self, failure: RegistryFailure) -> Extent | None:
        """What to say of a cause now; None while the last record of it is fresh."""
        met = {(decision.plan.application, decision.plan.alias) for decision in failure.decisions}
        return self.take_cause(_cause(failure.decisions[0]), met)

    def take_cause(self, cause: tuple[str, str, str], met: set[tuple[ApplicationKey, str]]) -> Extent | None:
        """The same for any cause; ``met`` are Applications and aliases."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            said = self._said.get(cause)
            if said is not None and now_s - said.at_s < SILENCE_S:
                said.left_out |= met
                return None
            if len(self._said) >= _MAX_CAUSES:
                self._said.clear()
            self._said[cause] = _Said(now_s)
        met = met | said.left_out if said is not None else met
        return Extent(len(met), len({application for application, _ in met}))


def tally_text(reasons: Mapping[str, int]) -> str:
    """How often each reason, most frequent first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{count}: {text}" for text, count in ordered[:_NAMED])
