"""The result of a round for people and for programs.

``text`` on a terminal is a table, elsewhere tab-separated lines that ``cut`` and ``awk`` read; ``json`` is described
in ``docs/reference-output.md``, with stable keys under one schema version. Known secrets are masked in all of them.
"""

from __future__ import annotations

import json
import sys

from updater.cli.outcome import Row, application_rows, cleaned, counted, document
from updater.model.images import Reason
from updater.model.report import Report
from updater.telemetry.redactor import Redactor
from updater.transport.redaction import escape_controls

_HEADINGS = ("Application", "Image", "From", "To", "Reason")
_MANY_ROWS = 200
"""A table longer than this hides the images that are up to date: nobody reads 50,000 rows."""

_NARROW_COLUMNS = 60
"""A terminal of fewer columns gets a list in place of a table."""

_QUIET = frozenset({Reason.UP_TO_DATE, Reason.ALREADY_SET})


def print_summary(report: Report, output: str, redactor: Redactor) -> None:
    """Print ``report`` on standard output as ``output`` (``text`` or ``json``) says."""
    if output == "json":
        print(json.dumps(cleaned(document(report), redactor.clean), indent=2))  # noqa: T201 - this is the result
        return
    rows = [row.cleaned(redactor.clean) for application in report.applications for row in application_rows(application)]
    if sys.stdout.isatty():
        _print_table(rows, report)
    else:
        _print_lines(rows)
    _print_diffs(report, redactor)


def _print_lines(rows: list[Row]) -> None:
    lines = ["\t".join(heading.lower() for heading in _HEADINGS), *("\t".join(row.cells) for row in rows)]
    print("\n".join(lines))  # noqa: T201 - this is the result


def _print_table(rows: list[Row], report: Report) -> None:
    from rich.table import Column, Table  # noqa: PLC0415 - for a terminal only
    from rich.text import Text  # noqa: PLC0415

    from updater.cli.consoles import console_on  # noqa: PLC0415

    shown = rows if len(rows) <= _MANY_ROWS else [row for row in rows if row.reason not in _QUIET]
    console = console_on(sys.stdout)
    if console.width < _NARROW_COLUMNS:
        for row in shown:
            console.print(Text(_block(row), style=row.style))
        console.print(Text(_caption(report, hidden=len(rows) - len(shown))))
        return
    # Folded, not cut: half a name cannot be copied.
    columns = [Column(heading, overflow="fold") for heading in _HEADINGS]
    table = Table(*columns, caption=_caption(report, hidden=len(rows) - len(shown)), caption_justify="left")
    for row in shown:
        # Text, because names and errors may hold what rich would take for markup.
        table.add_row(*(Text(cell, style=row.style) for cell in row.cells))
    console.print(table)


def _block(row: Row) -> str:
    """A row where five columns would be a few letters each."""
    application, image, current, wanted, reason = row.cells
    versions = " -> ".join(version for version in (current, wanted) if version)
    return "\n  ".join(text for text in (application, image, versions, reason) if text)


def _caption(report: Report, *, hidden: int) -> str:
    totals = report.totals
    text = (
        f"{counted(totals['applications'], 'application')}, {counted(totals['images_considered'], 'image')} "
        f"considered, {totals['images_skipped']} skipped, {totals['images_updated']} "
        f"{'would be updated' if report.is_dry_run else 'updated'}, {counted(totals['errors'], 'error')}"
    )
    if report.is_interrupted:
        text = f"{text}; a signal ended the round early"
    return f"{text}; {counted(hidden, 'image')} up to date not shown" if hidden else text


def _print_diffs(report: Report, redactor: Redactor) -> None:
    """What a dry run would have written."""
    if not report.is_dry_run:
        return
    for application in report.applications:
        if application.result is not None and application.result.diff:
            # Values of Applications are their owners' texts, which may hold what steers a terminal.
            lines = [escape_controls(redactor.clean(line)) for line in application.result.diff]
            print("\n".join((f"\n{application.key}:", *(f"  {line}" for line in lines))))  # noqa: T201 - this is the result
