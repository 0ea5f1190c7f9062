"""digest: the content that one tag points to now; the constraint is the name of that tag, taken literally."""

from __future__ import annotations

from updater.model.images import Candidate, Loss, Reason
from updater.rules.strategies.verdict import Verdict, nothing_fits

NEEDS_TAG = "the digest strategy needs the tag to follow; write it after the image's name, for example ':latest'"


def choose_followed(candidates: list[Candidate], tag: str) -> Verdict:
    """The candidate that bears the tag, with its digest."""
    losses = [(candidate.tag, Loss.NOT_THE_TAG) for candidate in candidates if candidate.tag != tag]
    followed = next((candidate for candidate in candidates if candidate.tag == tag), None)
    if not tag:
        return Verdict(None, losses, Reason.INVALID_CONSTRAINT, NEEDS_TAG)
    if followed is None:
        problem = f"the tag to follow, {tag!r}, is not in the registry or was filtered out"
        return Verdict(None, losses, Reason.NOTHING_FITS, problem)
    if followed.loss is None and followed.digest:
        return Verdict(followed, losses)
    return nothing_fits([*losses, (tag, followed.loss or Loss.METADATA_UNREADABLE)])
