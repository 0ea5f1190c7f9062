"""The candidates of one choice, each with the reason why it lost, nearest first: for tables and documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from updater.model.images import Candidate, Choice, Loss
from updater.rules.versions import Version, parse_version
from updater.transport.redaction import cap_text

_CHOSEN = "chosen"
_NO_VERSION = Version(-1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEARNESS = {
    loss: place
    for place, loss in enumerate(
        (
            Loss.OLDER,
            Loss.PRERELEASE,
            Loss.OUTSIDE_CONSTRAINT,
            Loss.CONSTRAINT_UNREADABLE,
            Loss.PLATFORM_MISSING,
            Loss.METADATA_UNREADABLE,
            Loss.NOT_A_VERSION,
            Loss.NOT_ALLOWED,
            Loss.IGNORED,
            Loss.NOT_THE_TAG,
        )
    )
}
"""How near a lost candidate came: those that competed stand first."""


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One tag; ``loss`` None is the winner. ``created`` is RFC 3339 in UTC; both it and ``digest`` may be empty."""

    tag: str
    loss: Loss | None
    created: str = ""
    digest: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts in the order of the columns."""
        return (cap_text(self.tag), self.loss.value if self.loss else _CHOSEN, self.created, self.digest)

    def entry(self) -> dict[str, object]:
        """The entry of the document."""
        return {
            "tag": self.tag,
            "isChosen": self.loss is None,
            "loss": self.loss.name.lower() if self.loss else None,
            "reason": self.loss.value if self.loss else None,
            "created": self.created or None,
            "digest": self.digest or None,
        }


def candidate_rows(choice: Choice, facts: Mapping[str, Candidate], *, are_versions: bool = False) -> list[CandidateRow]:
    """All candidates: the winner, then the others by how near they came, newest first.

    ``are_versions``: the higher version is the newer; otherwise the later date, or the later text without dates.
    """
    order = _version_order if are_versions else _date_order
    lost = sorted(choice.losses, key=lambda item: order(item[0], facts), reverse=True)
    lost.sort(key=lambda item: _NEARNESS[item[1]])
    rows = [_row(tag, loss, facts) for tag, loss in lost]
    return [_row(choice.winner.tag, None, facts), *rows] if choice.winner else rows


def _row(tag: str, loss: Loss | None, facts: Mapping[str, Candidate]) -> CandidateRow:
    known = facts.get(tag, Candidate(tag))
    # Without a digest the number is a place in the registry's list (``TagInspector``), not a time.
    created = _moment(known.created_ns) if known.digest else ""
    return CandidateRow(tag, loss, created, known.digest)


def _version_order(tag: str, _facts: Mapping[str, Candidate]) -> tuple[Version, str]:
    return (parse_version(tag) or _NO_VERSION, tag)


def _date_order(tag: str, facts: Mapping[str, Candidate]) -> tuple[int, str]:
    known = facts.get(tag)
    return (known.created_ns or 0 if known else 0, tag)


def _moment(nanoseconds: int | None) -> str:
    if nanoseconds is None:
        return ""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    except OverflowError:
        # An image can claim any date; one beyond the calendar is shown as none.
        return ""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
