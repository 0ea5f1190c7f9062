"""What Applications want on branches that are made anew: one that comes alone must not push the others off.

A rolling branch holds one batch and nothing else. In continuous mode, and after a webhook, an Application comes without
those that it shares the file with; their latest intents are remembered here and join its batch.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from updater.clock import Clock
from updater.model.applications import ApplicationKey
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import Batch, writer_key

KEPT_S = 3600.0
"""An Application that still wants its change says so in every round; after this its wish is taken for withdrawn."""
MAX_KEPT = 10_000
"""Wishes of all branches; beyond it everything is forgotten, and the next round brings it again."""


@dataclass(frozen=True, slots=True)
class _Wish:
    intent: GitIntent
    at_s: float


class Wishes:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_branch: dict[object, dict[ApplicationKey, _Wish]] = {}
        self._count = 0

    def joined(self, batch: Batch, clock: Clock, *, remembers: bool) -> Batch:
        """The batch with what others want on its branch, behind its own; with ``remembers`` it is remembered itself."""
        now_s = clock.monotonic_s()
        branch = (writer_key(batch.target), batch.target.revision)
        own = {intent.change_set.application: intent for intent in batch.intents}
        with self._lock:
            held = self._by_branch.get(branch, {})
            fresh = {key: wish for key, wish in held.items() if now_s - wish.at_s <= KEPT_S and key not in own}
            if remembers:
                kept = {**fresh, **{key: _Wish(intent, now_s) for key, intent in own.items()}}
                self._keep(branch, kept, len(kept) - len(held))
        others = tuple(wish.intent for _, wish in sorted(fresh.items()))
        return Batch((*batch.intents, *others), batch.superseded) if others else batch

    def _keep(self, branch: object, wishes: dict[ApplicationKey, _Wish], growth: int) -> None:
        if self._count + growth > MAX_KEPT:
            self._by_branch.clear()
            self._count, growth = 0, len(wishes)
        self._by_branch[branch] = wishes
        self._count += growth
