"""From a tag list to the decision for one image, and the counters of every situation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.conformance.vectors import Vector
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    SourceKind,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.changes import ChangeSet, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.images import (
    Candidate,
    Counter,
    Decision,
    HelmTarget,
    ImagePlan,
    Loss,
    Reason,
    Severity,
    Strategy,
    TagRule,
)
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import ApplicationReport
from updater.planning.annotations import read_settings
from updater.planning.image_list import parse_entry
from updater.planning.image_plans import tag_rule
from updater.planning.plans import PlanOptions, plan_application
from updater.registry.endpoints import TagSortMode
from updater.registry.tag_order import positions
from updater.rules.decisions import FactsUnavailable, decide, severity_of, severity_of_loss
from updater.rules.selection import CompiledRule, choose, compile_rule

_KEY = ApplicationKey("argocd", "shop")
_REPOSITORY = ImageRepository("", "org/app")
_OUTCOMES = {
    Reason.UPDATE: "update",
    Reason.UP_TO_DATE: "up-to-date",
    Reason.NO_TAGS: "skipped",
    Reason.NOTHING_FITS: "skipped",
    Reason.OUTSIDE_CONSTRAINT: "skipped",
    Reason.INVALID_CONSTRAINT: "error",
    Reason.METADATA_UNKNOWN: "error",
}


def comparable(expect: dict[str, Any]) -> dict[str, Any]:
    """``reason`` is informative (images-and-strategies.md 11)."""
    return {key: value for key, value in expect.items() if key != "reason"}


def _select(vector: Vector) -> Any:
    given = vector.given
    rule = _rule(given)
    compiled = compile_rule(rule)
    choice = choose(compiled, _candidates(vector, compiled))
    raw = given["current"]
    live = ImageReference(_REPOSITORY, raw["tag"], raw["digest"]) if raw else None
    plan = ImagePlan(_KEY, given["image"], "", _REPOSITORY, rule, HelmTarget(), live, is_forced=live is None)
    decision = decide(plan, choice)
    return {
        "outcome": _OUTCOMES[decision.reason],
        "chosen": _chosen(decision),
        "written": _written(decision, live),
        "counters": _counters(decision),
    }


def _rule(given: dict[str, Any]) -> TagRule:
    own = {"update-strategy": given["strategy"], "ignore-tags": ",".join(given["ignore_tags"])}
    settings = read_settings({**own, "allow-tags": given["allow_tags"] or ""}, "")
    constraint = f":{given['constraint']}" if given["constraint"] else ""
    return tag_rule(parse_entry(f"{given['image']}{constraint}"), settings, "linux/amd64")


def _candidates(vector: Vector, rule: CompiledRule) -> Sequence[Candidate]:
    sort_mode = vector.given["tagsortmode"]
    if sort_mode and rule.rule.strategy is Strategy.NEWEST_BUILD:
        kept, lost = rule.tag_filter.split(dict.fromkeys(vector.given["tags"]))
        return (*positions(vector.given["tags"], kept, TagSortMode(sort_mode)), *(Candidate(tag) for tag, _ in lost))
    rows = [row if isinstance(row, dict) else {"name": row} for row in vector.given["tags"]]
    # The one field metadata_ok stands for two situations; the title tells which.
    unusable = Loss.PLATFORM_MISSING if "platform" in vector.title else Loss.METADATA_UNREADABLE
    return [
        Candidate(
            row["name"],
            row.get("created"),
            row.get("digest", ""),
            None if row.get("metadata_ok", True) else unusable,
        )
        for row in rows
    ]


def _chosen(decision: Decision) -> dict[str, str] | None:
    winner = decision.choice.winner if decision.choice else None
    if winner is None or decision.reason not in (Reason.UPDATE, Reason.UP_TO_DATE):
        return None
    return {"tag": winner.tag, "digest": winner.digest}


def _written(decision: Decision, live: ImageReference | None) -> str | None:
    if decision.wanted:
        return decision.wanted.full_reference
    return live.full_reference if live and decision.reason is Reason.UP_TO_DATE else None


def _counters(*decisions: Decision) -> dict[str, int]:
    return _report_counters(ApplicationReport(_KEY, decisions, result=_result(WriteOutcome.WRITTEN)))


def _report_counters(report: ApplicationReport) -> dict[str, int]:
    names = {Counter.CONSIDERED: "considered", Counter.SKIPPED: "skipped", Counter.UPDATED: "updated"}
    return {names.get(counter, "errors"): report.count(counter) for counter in Counter}


def _result(outcome: WriteOutcome, error_code: str = "") -> WriteBackResult:
    change_set = ChangeSet(_KEY, "default", SourceChoice(SourceKind.HELM), (), ())
    return WriteBackResult(change_set, outcome, error_code=error_code)


def _plan(*, live: str = "1.0.0", **fields: Any) -> ImagePlan:
    reference = ImageReference(_REPOSITORY, live) if live else None
    return ImagePlan(_KEY, "org/app", "", _REPOSITORY, TagRule(), HelmTarget(), reference, **fields)


def _newer(plan: ImagePlan) -> Decision:
    return decide(plan, choose(compile_rule(plan.rule), [Candidate("2.0.0")]))


def _missing(reason: Reason) -> Callable[[], tuple[ApplicationReport, Severity]]:
    return lambda: _one(decide(_plan(), FactsUnavailable(reason, "no", "code")))


def _one(decision: Decision) -> tuple[ApplicationReport, Severity]:
    return ApplicationReport(_KEY, (decision,)), severity_of(decision.reason)


def _bad_pull_secret() -> tuple[ApplicationReport, Severity]:
    own = {"image-list": "a=org/app", "a.pull-secret": "nonsense"}
    snapshot = ApplicationSnapshot(
        _KEY,
        annotations={ANNOTATION_PREFIX + key: value for key, value in own.items()},
        layout=SourceLayout.SINGLE,
        sources=(SourceSnapshot(),),
        source_type="Helm",
        live_images=("org/app:1.0.0",),
    )
    return _one(decide(plan_application(snapshot, PlanOptions()).images[0], None))


def _one_unreadable() -> tuple[ApplicationReport, Severity]:
    rule = compile_rule(
        _rule({"strategy": "newest-build", "ignore_tags": [], "allow_tags": "", "image": "org/app", "constraint": ""})
    )
    plan = ImagePlan(_KEY, "org/app", "", _REPOSITORY, rule.rule, HelmTarget(), ImageReference(_REPOSITORY, "a"))
    choice = choose(rule, [Candidate("a", 2), Candidate("b", 1, loss=Loss.METADATA_UNREADABLE)])
    lost = dict(choice.losses)["b"]
    return ApplicationReport(_KEY, (decide(plan, choice),)), severity_of_loss(lost)


def _failed(count: int, code: str) -> tuple[ApplicationReport, Severity]:
    decisions = tuple(_newer(_plan()) for _ in range(count))
    report = ApplicationReport(_KEY, decisions, result=_result(WriteOutcome.FAILED, code))
    return report, Severity.ERROR


def _unusable(code: str) -> tuple[ApplicationReport, Severity]:
    return ApplicationReport(_KEY, (_newer(_plan()),), error="no", error_code=code), Severity.ERROR


def _dry_run() -> tuple[ApplicationReport, Severity]:
    decision = _newer(_plan())
    report = ApplicationReport(_KEY, (decision,), result=_result(WriteOutcome.DRY_RUN))
    return report, severity_of(decision.reason)


_EVENTS: dict[str, Callable[[], tuple[ApplicationReport, Severity]]] = {
    "image not in live list": lambda: _one(decide(_plan(live=""), None)),
    "no registry endpoint can be determined": _missing(Reason.ENDPOINT_UNKNOWN),
    "credentials of the registry entry cannot be loaded": _missing(Reason.CREDENTIALS_FAILED),
    "pull-secret annotation has invalid syntax": _bad_pull_secret,
    "pull-secret reference cannot be fetched": _missing(Reason.CREDENTIALS_FAILED),
    "registry client cannot be created": _missing(Reason.ENDPOINT_UNKNOWN),
    "tag listing fails": _missing(Reason.TAGS_UNAVAILABLE),
    "one manifest of many is permanently unreadable": _one_unreadable,
    "one manifest of many fails for a transient reason": _missing(Reason.METADATA_UNKNOWN),
    "selected image equals the image already present in the spec": lambda: _one(_newer(_plan(in_spec="org/app:2.0.0"))),
    "current image in spec cannot be read": lambda: _one(_newer(_plan(spec_problem="no source"))),
    "writing the new image into the in-memory spec fails": lambda: _unusable("no_matching_source"),
    "commit or API update fails after two images were marked updated": lambda: _failed(2, "update_failed"),
    "dry run with one image to update": _dry_run,
    "write-back configuration invalid, one image marked updated": lambda: _unusable("invalid_method"),
}


def _event(vector: Vector) -> Any:
    report, severity = _EVENTS[vector.given["event"]]()
    return {"counters": _report_counters(report), "log_level": severity.value}


ADAPTERS = {"select": _select, "event": _event}
