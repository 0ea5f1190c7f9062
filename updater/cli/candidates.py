"""The candidates of one choice as a table or as lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from updater.telemetry.candidates import CandidateRow
from updater.transport.redaction import escape_controls

HEADINGS = ("Tag", "Result", "Created", "Digest")
_MANY_ROWS = 200
"""Rows on a terminal; the rest is counted. Elsewhere every candidate has its line."""


def print_candidates(rows: list[CandidateRow], verdict: str) -> None:
    """Print the rows on standard output: a table with ``verdict`` below on a terminal, elsewhere separated by tabs."""
    if sys.stdout.isatty():
        _print_table(rows, verdict)
        return
    lines = ["\t".join(heading.lower() for heading in HEADINGS), *("\t".join(row.cells) for row in rows)]
    print("\n".join(lines))  # noqa: T201 - this is the result


def _print_table(rows: list[CandidateRow], verdict: str) -> None:
    from rich.table import Column, Table  # noqa: PLC0415 - for a terminal only
    from rich.text import Text  # noqa: PLC0415

    from updater.cli.consoles import console_on  # noqa: PLC0415

    columns = _columns(rows)
    # Folded, not cut: half a tag or digest cannot be copied.
    table = Table(*(Column(HEADINGS[column], overflow="fold") for column in columns))
    for row in rows[:_MANY_ROWS]:
        style = "green" if row.loss is None else ""
        table.add_row(*(Text(row.cells[column], style=style) for column in columns))
    console = console_on(sys.stdout)
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
