"""alphabetical: the last tag in byte order; constraints and dates play no part."""

from __future__ import annotations

from updater.model.images import Candidate
from updater.rules.strategies.verdict import Verdict, nothing_fits, older_than


def choose_last(tags: list[str]) -> Verdict:
    """The greatest text; tags are ASCII, so code point order is byte order."""
    if not tags:
        return nothing_fits([])
    winner = max(tags)
    return Verdict(Candidate(winner), older_than(winner, tags))
