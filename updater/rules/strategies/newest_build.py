"""newest-build: the tag whose image was created last; equal times are ordered by the text of the tag.

A tag without any date stays a candidate and sorts before all dated ones (``registries.md`` 3.7).
"""

from __future__ import annotations

from updater.model.images import Candidate, Loss
from updater.rules.strategies.verdict import Verdict, nothing_fits


def choose_newest(candidates: list[Candidate]) -> Verdict:
    """The newest candidate that inspection did not rule out."""
    losses = [(candidate.tag, candidate.loss) for candidate in candidates if candidate.loss is not None]
    left = [candidate for candidate in candidates if candidate.loss is None]
    if not left:
        return nothing_fits(losses)
    winner = max(left, key=_age_key)
    losses += [(candidate.tag, Loss.OLDER) for candidate in left if candidate.tag != winner.tag]
    # The digest is dropped: this strategy writes tags, and a pin would have to be kept up for ever.
    return Verdict(Candidate(winner.tag, winner.created_ns), losses)


def _age_key(candidate: Candidate) -> tuple[bool, int, str]:
    return (candidate.created_ns is not None, candidate.created_ns or 0, candidate.tag)
