"""The result of ``plan`` for people and for programs; ``docs/plan.md`` describes both."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from updater.cli.outcome import Row, application_rows, cleaned, counted, decision_candidates, document
from updater.model.applications import ApplicationKey
from updater.model.images import Counter, Decision, Reason
from updater.model.report import ApplicationReport, Report
from updater.telemetry.redactor import Redactor
from updater.transport.redaction import cap_text, escape_controls

_MANY_LEFT_OUT = 20
"""Applications that are left out for the same reason, of which no more are named: a fleet has thousands."""

_MANY_CANDIDATES = 20
"""Candidates shown to people, those first that came nearest; the document has them all."""

_GREEN, _RED, _BOLD, _PLAIN = "green", "red", "bold", ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line for people and its colour on a terminal."""

    text: str
    style: str = _PLAIN


class PlanReport:
    """What a round would change. ``is_detailed`` shows every image, and every candidate with why it lost."""

    def __init__(self, report: Report, redactor: Redactor, *, is_detailed: bool) -> None:
        self._report = report
        self._redactor = redactor
        self._is_detailed = is_detailed

    def print(self, output: str) -> None:
        """On standard output, as ``output`` (``text`` or ``json``) says."""
        if output == "json":
            print(json.dumps(cleaned(self.document(), self._redactor.clean), indent=2))  # noqa: T201 - the result
            return
        lines = [_Line(self._shown(line.text), line.style) for line in self._lines()]
        if sys.stdout.isatty():
            _print_styled(lines)
        else:
            print("\n".join(line.text for line in lines))  # noqa: T201 - this is the result

    def document(self) -> dict[str, object]:
        """The document of a round, with what only a plan has."""
        would_change = bool(self._report.totals[Counter.UPDATED.value])
        return document(self._report, command="plan", is_detailed=self._is_detailed) | {"wouldChange": would_change}

    def _shown(self, text: str) -> str:
        # Values of Applications are their owners' texts, which may hold what steers a terminal.
        return escape_controls(self._redactor.clean(text))

    def _lines(self) -> Iterator[_Line]:
        for application in self._report.applications:
            if self._is_detailed or _is_worth_showing(application):
                yield from self._application_lines(application)
        if self._is_detailed:
            yield from _left_out_lines(self._report)
        yield _Line(self._summary(), _BOLD)

    def _application_lines(self, application: ApplicationReport) -> Iterator[_Line]:
        yield _Line(str(application.key), _BOLD)
        rows = list(application_rows(application))
        if application.error_code:
            yield _Line(f"  {rows[0].text}", _RED)
        images = rows[-len(application.decisions) :] if application.decisions else []
        for decision, row in zip(application.decisions, images, strict=True):
            if self._is_detailed or _is_loud(row):
                yield from self._image_lines(decision, row)
        for warning in application.warnings:
            yield _Line(f"  warning: {warning.text}")
        for line in application.result.diff if application.result else ():
            yield _Line(f"    {line}", {"+": _GREEN, "-": _RED}.get(line[:1], _PLAIN))
        yield _Line("")

    def _image_lines(self, decision: Decision, row: Row) -> Iterator[_Line]:
        arrow = f" -> {row.wanted}" if row.wanted else ""
        yield _Line(f"  {row.image}: {row.current or 'not running'}{arrow}", row.style)
        yield _Line(f"    {row.text}; {_rule_text(decision)}", _RED if row.is_problem else _PLAIN)
        if self._is_detailed and not row.is_problem:
            yield from _candidate_lines(decision)

    def _summary(self) -> str:
        totals = self._report.totals
        return (
            f"Plan: {totals[Counter.UPDATED.value]} of {counted(totals[Counter.CONSIDERED.value], 'image')} would be "
            f"updated, {counted(totals['errors'], 'error')}, in {counted(totals['applications'], 'Application')}"
        )


def _print_styled(lines: list[_Line]) -> None:
    from rich.text import Text  # noqa: PLC0415 - for a terminal only

    from updater.cli.consoles import console_on  # noqa: PLC0415

    console = console_on(sys.stdout, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, style=line.style))


def _is_worth_showing(application: ApplicationReport) -> bool:
    return bool(application.error_code) or any(_is_loud(row) for row in application_rows(application))


def _is_loud(row: Row) -> bool:
    return row.is_problem or row.reason is Reason.UPDATE


def _rule_text(decision: Decision) -> str:
    rule = decision.plan.rule
    parts = [f"strategy {rule.strategy.value}"]
    parts += [f"constraint {text}" for text in (rule.constraint, rule.semver_constraint) if text]
    if rule.allow_tags:
        parts.append(f"allow-tags {rule.allow_tags}")
    parts += [f"ignore-tags {text}" for text in rule.ignore_tags]
    if decision.choice is not None:
        parts.append(f"{decision.choice.considered} tags considered")
    return cap_text(", ".join(parts), limit=400)


def _left_out_lines(report: Report) -> Iterator[_Line]:
    """Who is left out, together with those who share the reason; of very many the first are enough."""
    by_reason: dict[str, list[ApplicationKey]] = {}
    for key, reason in report.skipped:
        by_reason.setdefault(reason, []).append(key)
    for reason, keys in by_reason.items():
        for key in keys[:_MANY_LEFT_OUT]:
            yield _Line(f"{key}: left out: {cap_text(reason)}")
        if len(keys) > _MANY_LEFT_OUT:
            yield _Line(f"{len(keys) - _MANY_LEFT_OUT} more: left out: {cap_text(reason)}")


def _candidate_lines(decision: Decision) -> Iterator[_Line]:
    rows = decision_candidates(decision)
    shown = rows[:_MANY_CANDIDATES]
    width = max((len(cap_text(row.tag)) for row in shown), default=0)
    for row in shown:
        tag, result = row.cells[:2]
        yield _Line(f"      {tag:<{width}}  {result}", _GREEN if row.loss is None else _PLAIN)
    if len(rows) > len(shown):
        yield _Line(f"      and {len(rows) - len(shown)} more, --output json has them all")
