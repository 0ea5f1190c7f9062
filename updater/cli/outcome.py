"""A report as rows for a table, and as the document of ``--output json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.images import Counter, Decision, Reason, Strategy
from updater.model.report import ApplicationReport, Report
from updater.telemetry.candidates import CandidateRow, candidate_rows
from updater.transport.redaction import cap_text

SCHEMA_VERSION = 1
"""Raised when a key of the document goes away or changes its meaning; new keys do not raise it."""

_UPDATE_TEXTS = {
    WriteOutcome.WRITTEN: "updated",
    WriteOutcome.DRY_RUN: "would be updated",
    WriteOutcome.UNCHANGED: "already stored",
    WriteOutcome.SUPERSEDED: "changed by somebody else meanwhile, left for the next round",
    WriteOutcome.FAILED: "update failed",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One image of one Application, or an Application that failed as a whole (``reason`` None)."""

    application: str
    image: str
    current: str
    wanted: str
    text: str
    reason: Reason | None = None
    is_problem: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts in the order of the columns, each on one line."""
        return tuple(
            cap_text(cell, limit=1_000) for cell in (self.application, self.image, self.current, self.wanted, self.text)
        )

    @property
    def style(self) -> str:
        """The colour on a terminal."""
        if self.is_problem:
            return "red"
        return "green" if self.reason is Reason.UPDATE else ""

    def cleaned(self, clean: Callable[[str], str]) -> Row:
        """The same row without secrets."""
        return replace(self, image=clean(self.image), text=clean(self.text))


def application_rows(report: ApplicationReport) -> Iterator[Row]:
    """One row per image; first one for an error of the Application as a whole."""
    if report.error_code:
        yield Row(str(report.key), "", "", "", f"{report.error_code}: {report.error}", is_problem=True)
    for decision in report.decisions:
        yield _image_row(decision, report.result)


def _image_row(decision: Decision, result: WriteBackResult | None) -> Row:
    failed = decision.reason is Reason.UPDATE and result is not None and result.outcome is WriteOutcome.FAILED
    return Row(
        application=str(decision.plan.application),
        image=decision.plan.repository.full_name or decision.plan.entry,
        current=current_version(decision),
        wanted=decision.wanted.tag_with_digest if decision.wanted else "",
        text=_reason_text(decision, result),
        reason=decision.reason,
        is_problem=failed or Counter.ERRORS in decision.counts,
    )


def current_version(decision: Decision) -> str:
    """Tag and digest that run now; empty when the image is not running."""
    return decision.plan.live.tag_with_digest if decision.plan.live else ""


def _reason_text(decision: Decision, result: WriteBackResult | None) -> str:
    if decision.reason is Reason.UPDATE:
        return _update_text(result)
    text = decision.reason.value.replace("_", " ")
    return f"{text}: {decision.problem}" if decision.problem else text


def _update_text(result: WriteBackResult | None) -> str:
    if result is None:
        return "not written"
    text = _UPDATE_TEXTS[result.outcome]
    if result.pull_request:
        text = f"{text}, pull request {result.pull_request}"
    if result.warning:
        text = f"{text}, without a pull request: {result.warning}"
    return f"{text}: {result.error}" if result.error else text


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def decision_candidates(decision: Decision) -> list[CandidateRow]:
    """Every tag that was looked at, the winner first, the others by how near they came."""
    choice = decision.choice
    if choice is None:
        return []
    facts = {choice.winner.tag: choice.winner} if choice.winner else {}
    return candidate_rows(choice, facts, are_versions=decision.plan.rule.strategy is Strategy.SEMVER)


def cleaned(value: object, clean: Callable[[str], str]) -> object:
    """A document with every text cleaned: before it is encoded, because escapes would hide a secret."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {key: cleaned(item, clean) for key, item in value.items()}
        case list():
            return [cleaned(item, clean) for item in value]
    return value


def document(report: Report, *, command: str = "run", is_detailed: bool = False) -> dict[str, object]:
    """The document of ``--output json``; ``docs/reference-output.md`` describes every key.

    ``is_detailed`` adds the candidates of every image.
    """
    return {
        "schemaVersion": SCHEMA_VERSION,
        "command": command,
        "dryRun": report.is_dry_run,
        "interrupted": report.is_interrupted,
        "durationSeconds": round(report.seconds, 3),
        "totals": dict(report.totals),
        "applications": [_application(application, is_detailed=is_detailed) for application in report.applications],
        "skipped": [{"namespace": key.namespace, "name": key.name, "reason": reason} for key, reason in report.skipped],
    }


def _application(report: ApplicationReport, *, is_detailed: bool) -> dict[str, object]:
    return {
        "namespace": report.key.namespace,
        "name": report.key.name,
        "error": _problem(report.error_code, report.error),
        "warnings": [{"kind": warning.kind, "text": warning.text} for warning in report.warnings],
        "images": [_image(decision, is_detailed=is_detailed) for decision in report.decisions],
        "write": _write(report.result),
    }


def _image(decision: Decision, *, is_detailed: bool) -> dict[str, object]:
    candidates = {"candidates": [row.entry() for row in decision_candidates(decision)]} if is_detailed else {}
    return candidates | {
        "alias": decision.plan.alias,
        "image": decision.plan.repository.full_name,
        "from": current_version(decision),
        "to": decision.wanted.tag_with_digest if decision.wanted else None,
        "reason": decision.reason.value,
        "strategy": decision.plan.rule.strategy.value,
        "tagsConsidered": decision.choice.considered if decision.choice else None,
        "problem": _problem(decision.error_code or decision.reason.value, decision.problem),
    }


def _write(result: WriteBackResult | None) -> dict[str, object] | None:
    if result is None:
        return None
    return {
        "outcome": result.outcome.value,
        "attempts": result.attempts,
        "diff": list(result.diff),
        "git": _git(result),
        "warning": result.warning or None,
        "error": _problem(result.error_code, result.error),
    }


def _git(result: WriteBackResult) -> dict[str, object] | None:
    """Where in Git the change goes; a branch that the remote decides is not known here."""
    target = result.change_set.git
    if target is None:
        return None
    branch = target.write_branch or target.revision
    return {
        "repository": str(target.remote),
        "branch": branch or None,
        "path": target.path,
        "commit": result.commit or None,
        "pullRequest": result.pull_request or None,
    }


def _problem(code: str, text: str) -> dict[str, str] | None:
    return {"code": code, "text": text} if text else None
