"""The candidates of one choice, each with the reason why it lost: a table, lines, and entries of a document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from updater.model.images import Candidate, Choice, Loss
from updater.rules.versions import Version, parse_version
from updater.transport.redaction import cap_text, escape_controls

HEADINGS = ("Tag", "Result", "Created", "Digest")
_MANY_ROWS = 200
"""Rows on a terminal; the rest is counted. Elsewhere every candidate has its line."""

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


def print_candidates(rows: list[CandidateRow], verdict: str) -> None:
    """Print the rows on standard output: a table with ``verdict`` below on a terminal, elsewhere separated by tabs."""
    if sys.stdout.isatty():
        _print_table(rows, verdict)
        return
    lines = ["\t".join(heading.lower() for heading in HEADINGS), *("\t".join(row.cells) for row in rows)]
    print("\n".join(lines))  # noqa: T201 - this is the result


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


def _print_table(rows: list[CandidateRow], verdict: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - for a terminal only
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    columns = _columns(rows)
    table = Table(*(HEADINGS[column] for column in columns))
    for row in rows[:_MANY_ROWS]:
        style = "green" if row.loss is None else ""
        table.add_row(*(Text(row.cells[column], style=style) for column in columns))
    console = Console(file=sys.stdout)
    console.print(table)
    # No caption: that would be folded to the width of the table.
    console.print(Text(escape_controls(_caption(rows, verdict))))


def _columns(rows: Iterable[CandidateRow]) -> list[int]:
    """The columns that hold anything."""
    filled = {column for row in rows for column, cell in enumerate(row.cells) if cell}
    return sorted({0, 1} | filled)


def _caption(rows: list[CandidateRow], verdict: str) -> str:
    hidden = len(rows) - _MANY_ROWS
    return f"{verdict}; {hidden} more are not shown, --output json has them all" if hidden > 0 else verdict
