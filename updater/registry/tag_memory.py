"""Which content the tags of a repository pointed to when somebody last looked, and which of them to look at again.

Rules: ``registries.md`` 6.2. A tag can be pushed again, so what is known grows old: the newest builds and, in turn, the
others are looked at again under a budget. Kept per repository and credentials.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from updater.clock import Clock
from updater.registry.polls import PollKey
from updater.rules.platforms import PlatformFilter

MAX_TAGS = 500_000
"""Tags remembered in all, about 200 MB."""
MAX_REPOSITORIES = 20_000
REVALIDATED_NEWEST = 5
REVALIDATED_AT_ALL = 20
"""Looks at known tags per repository and poll."""


@dataclass(frozen=True, slots=True)
class KnownTag:
    """``digest`` is empty when there is no such tag, or when it turned out to be unusable before its digest was told.

    ``unusable_for``: the platforms with which its content turned out to be unreadable for good.
    """

    digest: str
    looked_at_s: float
    is_missing: bool = False
    unusable_for: PlatformFilter | None = None


class TagMemory:
    """Thread-safe."""

    def __init__(self, clock: Clock, share_s: float, *, are_immutable: bool) -> None:
        self._clock = clock
        self._share_s = share_s
        self._are_immutable = are_immutable
        self._lock = threading.Lock()
        self._tags: LRUCache[tuple[PollKey, str], KnownTag] = LRUCache(MAX_TAGS)
        self._changed: LRUCache[str, float] = LRUCache(MAX_REPOSITORIES)
        self._rounds: LRUCache[PollKey, float] = LRUCache(MAX_REPOSITORIES)

    def share_for(self, share_s: float) -> None:
        """What is known serves for so long from now on."""
        self._share_s = share_s

    def recall(self, key: PollKey, tags: Sequence[str]) -> dict[str, KnownTag]:
        """What is known of the tags, by tag."""
        with self._lock:
            found = {tag: self._tags.get((key, tag)) for tag in tags}
        return {tag: known for tag, known in found.items() if known is not None}

    def remember(
        self,
        key: PollKey,
        tag: str,
        digest: str,
        *,
        is_missing: bool = False,
        unusable_for: PlatformFilter | None = None,
    ) -> None:
        """Somebody has just looked."""
        with self._lock:
            self._tags[key, tag] = KnownTag(digest, self._clock.monotonic_s(), is_missing, unusable_for)

    def forget_repository(self, tags_url: str) -> None:
        """The repository has changed: whatever is known of its tags is old."""
        with self._lock:
            self._changed[tags_url] = self._clock.monotonic_s()

    def is_old(self, key: PollKey, known: KnownTag) -> bool:
        """Whether what is known has to be confirmed. That there is no such tag always grows old."""
        if self._are_immutable and not known.is_missing:
            return False
        return self._is_over(key, known.looked_at_s)

    def _is_over(self, key: PollKey, moment_s: float) -> bool:
        """Whether a moment lies an interval back, or before the repository changed."""
        with self._lock:
            changed_s = self._changed.get(key.tags_url, float("-inf"))
        return moment_s <= changed_s or self._clock.monotonic_s() - moment_s >= self._share_s

    def to_look_at(self, key: PollKey, known: dict[str, KnownTag], newest_first: Sequence[str]) -> frozenset[str]:
        """The known tags to look at again in this poll: the newest, then those not looked at for longest.

        Empty until the last such poll is old, so that Applications that share a repository share the budget too.
        """
        old = [tag for tag in newest_first if self.is_old(key, known[tag])]
        if not old or not self._begin_round(key):
            return frozenset()
        newest = [tag for tag in newest_first[:REVALIDATED_NEWEST] if tag in set(old)]
        others = sorted(set(old) - set(newest), key=lambda tag: (known[tag].looked_at_s, tag))
        return frozenset([*newest, *others][:REVALIDATED_AT_ALL])

    def _begin_round(self, key: PollKey) -> bool:
        """Whether the last round is over; then a new one begins."""
        with self._lock:
            last_s = self._rounds.get(key, float("-inf"))
        if not self._is_over(key, last_s):
            return False
        with self._lock:
            if self._rounds.get(key, float("-inf")) != last_s:
                return False
            self._rounds[key] = self._clock.monotonic_s()
        return True
