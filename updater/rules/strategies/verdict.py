"""What a strategy says of the tags it was given."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.model.images import Candidate, Loss, Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """The winner, or the reason for none; ``losses`` has one entry for every other tag.

    ``problem`` is the text of an owner's mistake that left no winner.
    """

    winner: Candidate | None
    losses: list[tuple[str, Loss]] = field(default_factory=list)
    none_because: Reason | None = None
    problem: str = ""


def nothing_fits(losses: list[tuple[str, Loss]]) -> Verdict:
    """No tag is a candidate for the strategy."""
    return Verdict(None, losses, Reason.NOTHING_FITS)


def older_than(winner: str, tags: list[str]) -> list[tuple[str, Loss]]:
    """Every tag but the winner, as older."""
    return [(tag, Loss.OLDER) for tag in tags if tag != winner]
