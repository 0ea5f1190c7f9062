"""What an operator chooses about scheduling, as values (``runtime.md`` 1.3, 1.13, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

WORKERS_PER_CPU = 8
"""For ``--max-concurrency 0``: workers wait for registries and Git nearly all of their time."""


class Mode(Enum):
    """Whether the fleet is processed in rounds, or each Application on its own."""

    CYCLE = "cycle"
    CONTINUOUS = "continuous"


class Schedule(Enum):
    """Who goes first."""

    DEFAULT = "default"
    LRU = "lru"
    FAIL_FIRST = "fail-first"


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """``max_concurrency`` 0 means by processors; 0 switches ``cooldown_s`` and ``per_repo_cap`` off.

    ``interval_s`` 0 means one round or one attempt at each Application, and then the end.
    """

    interval_s: float = 120.0
    max_concurrency: int = 10
    cpus: int = 1
    schedule: Schedule = Schedule.DEFAULT
    cooldown_s: float = 0.0
    per_repo_cap: int = 0

    def workers_for(self, candidates: int) -> int:
        """How many workers a pass over so many candidates may use; at least one."""
        if self.max_concurrency > 0:
            return self.max_concurrency
        return max(1, min(self.most_workers, candidates))

    @property
    def most_workers(self) -> int:
        """What ``workers_for`` never exceeds."""
        return self.max_concurrency or WORKERS_PER_CPU * max(1, self.cpus)
