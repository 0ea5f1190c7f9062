"""Reports of the engine as the small records that the status store keeps."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable

from updater.model.applications import ApplicationKey
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.images import Choice, Counter, Decision, Reason, Strategy
from updater.model.report import ApplicationReport
from updater.ports.status import (
    ApplicationStatus,
    Candidates,
    Counts,
    CycleStatus,
    ImageStatus,
    UpdateStatus,
    WriteStatus,
)
from updater.telemetry.candidates import candidate_rows
from updater.transport.redaction import cap_text

PENDING = "pending"
WRITE_FAILED = "write_failed"
APPLICATION_FAILED = "application_failed"

MAX_ROWS = 200
"""Candidates shown of one image (``runtime.md`` 6.1)."""

_MAX_TEXT = 300
_MAX_IMAGES = 200
_MAX_WARNINGS = 10

Clean = Callable[[str], str]


def pending_status(key: ApplicationKey) -> ApplicationStatus:
    """An Application that is known and was never attempted."""
    return ApplicationStatus(key, (PENDING,), str(key).lower())


def failed_status(before: ApplicationStatus, error: str, code: str, at: float, clean: Clean) -> ApplicationStatus:
    """An attempt that came to no report."""
    return ApplicationStatus(
        before.key,
        (APPLICATION_FAILED,),
        str(before.key).lower(),
        attempted_at=at,
        succeeded_at=before.succeeded_at,
        counts=Counts(errors=1),
        last_update=before.last_update,
        error=_shown(error, clean),
        code=code,
    )


def reported_status(
    before: ApplicationStatus, report: ApplicationReport, attempted_at: float, ended_at: float, clean: Clean
) -> ApplicationStatus:
    """What one report says of one Application."""
    counts = _counts(report)
    images = tuple(_image(decision, clean) for decision in report.decisions[:_MAX_IMAGES])
    write = _write(report.result, clean)
    return ApplicationStatus(
        key=report.key,
        reasons=_reasons(report),
        search_text=" ".join((str(report.key), *(image.image for image in images))).lower(),
        attempted_at=attempted_at,
        succeeded_at=before.succeeded_at if counts.errors else ended_at,
        counts=counts,
        images=images,
        write=write,
        last_update=_update(report.result, ended_at, clean) or before.last_update,
        warnings=tuple(_shown(warned.text, clean) for warned in report.warnings[:_MAX_WARNINGS]),
        error=_shown(report.error, clean),
        code=report.error_code,
    )


class CycleTally:
    """The totals of one cycle or interval as reports come in. Not thread-safe."""

    def __init__(self) -> None:
        self._sums: Tally[str] = Tally()
        self._reasons: Tally[str] = Tally()

    def add(self, report: ApplicationReport) -> None:
        self._sums["applications"] += 1
        for counter in Counter:
            self._sums[counter.value] += report.count(counter)
        self._reasons.update(decision.reason.value for decision in report.decisions)

    def add_failure(self) -> None:
        """An attempt that came to no report."""
        self._sums.update({"applications": 1, Counter.ERRORS.value: 1})

    def close(self, ended_at: float, seconds: float, *, dry: bool) -> CycleStatus:
        """What came of it all."""
        sums = self._sums
        counts = Counts(*(sums[counter.value] for counter in Counter))
        return CycleStatus(
            ended_at, seconds, sums["applications"], counts, tuple(sorted(self._reasons.items())), is_dry_run=dry
        )


def explain(choice: Choice | None, strategy: str) -> Candidates:
    """The candidates of one choice, none known for None."""
    if choice is None:
        return Candidates(are_known=False)
    facts = {choice.winner.tag: choice.winner} if choice.winner else {}
    rows = candidate_rows(choice, facts, are_versions=strategy == Strategy.SEMVER.value)
    tally = Tally(loss.value for _, loss in choice.losses)
    return Candidates(
        tuple(row.entry() for row in rows[:MAX_ROWS]), max(0, len(rows) - MAX_ROWS), tuple(tally.most_common())
    )


def _counts(report: ApplicationReport) -> Counts:
    return Counts(*(report.count(counter) for counter in Counter))


def _reasons(report: ApplicationReport) -> tuple[str, ...]:
    found = {decision.reason.value for decision in report.decisions}
    if report.error_code:
        found.add(APPLICATION_FAILED)
    if report.result is not None and report.result.error_code:
        found.add(WRITE_FAILED)
    return tuple(sorted(found))


def _image(decision: Decision, clean: Clean) -> ImageStatus:
    plan = decision.plan
    rule = plan.rule
    constraints = (rule.constraint, rule.semver_constraint if rule.strategy is Strategy.SEMVER else "")
    return ImageStatus(
        alias=cap_text(plan.alias, _MAX_TEXT),
        image=cap_text(plan.repository.full_name or plan.entry, _MAX_TEXT),
        current=plan.live.tag_with_digest if plan.live else "",
        wanted=decision.wanted.tag_with_digest if decision.wanted else "",
        reason=decision.reason.value,
        strategy=rule.strategy.value,
        constraint=_shown(" ".join(filter(None, constraints)), clean),
        problem=_shown(decision.problem, clean),
        code=decision.error_code or (decision.reason.value if decision.reason is not Reason.UPDATE else ""),
        tags=decision.choice.considered if decision.choice else None,
    )


def _write(result: WriteBackResult | None, clean: Clean) -> WriteStatus | None:
    if result is None:
        return None
    return WriteStatus(
        outcome=result.outcome.value,
        commit=result.commit,
        pull_request=_shown(result.pull_request, clean),
        code=result.error_code,
        error=_shown(result.error, clean),
        warning=_shown(result.warning, clean),
    )


def _update(result: WriteBackResult | None, at: float, clean: Clean) -> UpdateStatus | None:
    """None when nothing was written."""
    if result is None or result.outcome is not WriteOutcome.WRITTEN:
        return None
    changes = result.change_set.images[:_MAX_IMAGES]
    images = tuple((cap_text(change.image, _MAX_TEXT), change.old_tag, change.new_tag) for change in changes)
    return UpdateStatus(at, images, result.commit, _shown(result.pull_request, clean))


def _shown(text: str, clean: Clean) -> str:
    return cap_text(clean(text), _MAX_TEXT) if text else ""
