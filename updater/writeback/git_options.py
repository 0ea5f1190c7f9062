"""How batches are written, as a value; the settings behind it are ``write-back.md`` 1.8."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.clock import Backoff
from updater.manifests.messages import DEFAULT_BATCH_SUBJECT

MIN_RACE_ATTEMPTS = 20
"""A race was lost because somebody else got through, so trying again is cheap and right; ten rivals need ten."""


@dataclass(frozen=True, slots=True)
class GitWriteOptions:
    """``backoff`` is for operations over the network and between lost races; its attempts are those for the network.

    ``commits_per_application`` is ``--git-batch-commit=per-app``, ``resets_write_branch`` is
    ``--git-write-branch-strategy=reset``. ``subject`` holds ``{N}`` for the number of Applications. ``is_batching``
    false is ``GIT_BATCH_DISABLE``. ``writers`` bounds the batches that are written at a time, ``batch_timeout_s`` is
    the time for one, its turn not counted.
    """

    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=3, base_s=0.5, cap_s=10.0))
    commits_per_application: bool = False
    resets_write_branch: bool = False
    subject: str = DEFAULT_BATCH_SUBJECT
    is_batching: bool = True
    max_batch: int = 1000
    flush_interval_s: float = 2.0
    idle_s: float = 0.25
    writers: int = 10
    batch_timeout_s: float = 360.0

    @property
    def race_attempts(self) -> int:
        """How often a push is tried that others win."""
        return max(self.backoff.attempts, MIN_RACE_ATTEMPTS)
