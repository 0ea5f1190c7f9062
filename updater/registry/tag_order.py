"""Registries whose order of tags stands for time (``tagsortmode``, ``registries.md`` 1.10).

The dates are made up: positions among the tags that are left after filtering, as seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from updater.model.images import Candidate
from updater.registry.endpoints import TagSortMode

_SECOND_NS = 1_000_000_000


def positions(listed: Iterable[str], tags: Sequence[str], mode: TagSortMode) -> tuple[Candidate, ...]:
    """Candidates for those of ``tags`` that are listed, in the order of ``tags``, dated by their place in the list."""
    wanted = set(tags)
    remaining = [tag for tag in listed if tag in wanted]
    count = len(remaining)
    dates = {
        tag: (count - index if mode is TagSortMode.LATEST_FIRST else index) * _SECOND_NS
        for index, tag in enumerate(remaining)
    }
    return tuple(Candidate(tag, dates[tag]) for tag in tags if tag in dates)
