"""The decision table of one image."""

from __future__ import annotations

from typing import Any

import pytest

from updater.model.applications import ApplicationKey
from updater.model.images import (
    Candidate,
    Choice,
    Counter,
    HelmTarget,
    ImagePlan,
    KustomizeTarget,
    Loss,
    Reason,
    Severity,
    Strategy,
    TagRule,
)
from updater.model.references import ImageReference, ImageRepository, parse_reference
from updater.rules.decisions import FactsUnavailable, decide, needs_facts, severity_of, severity_of_loss

_KEY = ApplicationKey("argocd", "shop")
_WEB = ImageRepository("", "web")
_OLD, _NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
_SKIP = {Counter.CONSIDERED, Counter.SKIPPED}
_FAIL = {Counter.CONSIDERED, Counter.ERRORS}


def _plan(live: str | None = "web:1", **fields: Any) -> ImagePlan:
    fields = {"rule": TagRule(), "target": HelmTarget(), **fields}
    reference = None if live is None else parse_reference(live)
    return ImagePlan(_KEY, "web", "", _WEB, live=reference, **fields)


def _won(tag: str, digest: str = "", losses: tuple[tuple[str, Loss], ...] = ()) -> Choice:
    return Choice(Candidate(tag, digest=digest), 1 + len(losses), losses)


def _none(reason: Reason | None) -> Choice:
    return Choice(None, none_because=reason, problem="why")


@pytest.mark.parametrize(
    ("plan", "outcome", "reason", "counts"),
    [
        pytest.param(_plan(None), None, Reason.NOT_LIVE, {Counter.SKIPPED}, id="not live"),
        pytest.param(
            _plan(None, invalid="bad", invalid_reason=Reason.INVALID_REFERENCE),
            None,
            Reason.INVALID_REFERENCE,
            {Counter.SKIPPED},
            id="illegal entry",
        ),
        pytest.param(
            _plan(None, invalid="bad", invalid_reason=Reason.INVALID_SETTINGS),
            None,
            Reason.NOT_LIVE,
            {Counter.SKIPPED},
            id="not live comes before settings",
        ),
        pytest.param(
            _plan(invalid="bad", invalid_reason=Reason.INVALID_SETTINGS),
            None,
            Reason.INVALID_SETTINGS,
            _FAIL,
            id="invalid settings",
        ),
        pytest.param(_plan(), _none(Reason.NO_TAGS), Reason.NO_TAGS, _SKIP, id="no tags"),
        pytest.param(_plan(), _none(Reason.NOTHING_FITS), Reason.NOTHING_FITS, _SKIP, id="nothing fits"),
        pytest.param(_plan(), _none(None), Reason.NOTHING_FITS, _SKIP, id="no winner, no reason"),
        pytest.param(_plan(), _none(Reason.OUTSIDE_CONSTRAINT), Reason.OUTSIDE_CONSTRAINT, _SKIP, id="outside"),
        pytest.param(_plan(), _none(Reason.INVALID_CONSTRAINT), Reason.INVALID_CONSTRAINT, _FAIL, id="constraint"),
        pytest.param(_plan(), _won("1"), Reason.UP_TO_DATE, {Counter.CONSIDERED}, id="up to date"),
        pytest.param(_plan(), _won("2"), Reason.UPDATE, {Counter.CONSIDERED, Counter.UPDATED}, id="update"),
        pytest.param(_plan(), _won("0"), Reason.UPDATE, {Counter.CONSIDERED, Counter.UPDATED}, id="downgrade"),
        pytest.param(_plan(in_spec="web:2"), _won("2"), Reason.ALREADY_SET, {Counter.CONSIDERED}, id="already set"),
        pytest.param(_plan(overridden_by="b"), _won("2"), Reason.OVERRIDDEN, {Counter.CONSIDERED}, id="overridden"),
        pytest.param(
            _plan(overridden_by="b"), _won("1"), Reason.UP_TO_DATE, {Counter.CONSIDERED}, id="nothing to write"
        ),
        pytest.param(_plan(spec_problem="no"), _won("2"), Reason.SPEC_UNREADABLE, _FAIL, id="spec unreadable"),
        pytest.param(
            _plan(spec_problem="no"), _won("1"), Reason.UP_TO_DATE, {Counter.CONSIDERED}, id="spec does not matter"
        ),
        pytest.param(
            _plan(None, is_forced=True), _won("2"), Reason.UPDATE, {Counter.CONSIDERED, Counter.UPDATED}, id="forced"
        ),
        pytest.param(
            _plan(None, is_forced=True, in_spec="web:2"),
            _won("2"),
            Reason.ALREADY_SET,
            {Counter.CONSIDERED},
            id="forced and already set",
        ),
    ],
)
def test_decision(plan: ImagePlan, outcome: Choice | None, reason: Reason, counts: set[Counter]) -> None:
    decision = decide(plan, outcome)
    assert decision.reason is reason
    assert decision.counts == counts
    assert (decision.wanted is not None) is (reason is Reason.UPDATE)


@pytest.mark.parametrize(
    "reason",
    [Reason.ENDPOINT_UNKNOWN, Reason.CREDENTIALS_FAILED, Reason.TAGS_UNAVAILABLE, Reason.METADATA_UNKNOWN],
)
def test_missing_facts_never_change_anything(reason: Reason) -> None:
    decision = decide(_plan(), FactsUnavailable(reason, "no answer", "registry_unreachable"))
    assert (decision.reason, decision.problem, decision.error_code) == (reason, "no answer", "registry_unreachable")
    assert decision.counts == _FAIL
    assert decision.wanted is None


@pytest.mark.parametrize("strategy", [Strategy.NEWEST_BUILD, Strategy.DIGEST])
def test_unreadable_metadata_of_the_running_tag_is_unknown(strategy: Strategy) -> None:
    plan = _plan("web:1", rule=TagRule(strategy, "1"))
    decision = decide(plan, _won("0", _NEW, (("1", Loss.METADATA_UNREADABLE),)))
    assert decision.reason is Reason.METADATA_UNKNOWN
    assert "'1'" in decision.problem


def test_unreadable_metadata_of_another_tag_does_not_matter() -> None:
    plan = _plan("web:1", rule=TagRule(Strategy.NEWEST_BUILD))
    assert decide(plan, _won("2", losses=(("0", Loss.METADATA_UNREADABLE),))).reason is Reason.UPDATE


@pytest.mark.parametrize(
    ("live", "winner", "is_update"),
    [
        pytest.param(f"web:prod@{_OLD}", _NEW, True, id="new digest"),
        pytest.param(f"web:prod@{_OLD}", _OLD, False, id="same digest"),
        pytest.param(f"web:v7@{_OLD}", _OLD, False, id="same digest under another tag"),
        pytest.param("web:prod", _NEW, True, id="digest unknown"),
    ],
)
def test_digest_strategy_compares_digests(live: str, winner: str, *, is_update: bool) -> None:
    decision = decide(_plan(live, rule=TagRule(Strategy.DIGEST, "prod")), _won("prod", winner))
    assert (decision.reason is Reason.UPDATE) is is_update
    if decision.wanted is not None:
        assert decision.wanted.full_reference == f"web:prod@{winner}"


def test_pin_of_another_strategy_is_stripped() -> None:
    decision = decide(_plan(f"web:2@{_OLD}"), _won("2"))
    assert decision.wanted == ImageReference(_WEB, "2")


def test_digest_strategy_judges_the_outdated_container() -> None:
    running = tuple(parse_reference(text) for text in (f"web@{_NEW}", f"web@{_OLD}"))
    plan = _plan(f"web@{_NEW}", rule=TagRule(Strategy.DIGEST, "prod"), running=running)
    assert decide(plan, _won("prod", _NEW)).reason is Reason.UPDATE


def test_other_strategies_judge_the_first_match() -> None:
    running = tuple(parse_reference(text) for text in ("web:1", "web:2"))
    assert decide(_plan("web:1", running=running), _won("2")).reason is Reason.UPDATE


def test_digest_strategy_keeps_the_first_match_when_no_other_is_better() -> None:
    running = tuple(parse_reference(text) for text in (f"web@{_NEW}", f"web:v7@{_NEW}"))
    plan = _plan(f"web@{_NEW}", rule=TagRule(Strategy.DIGEST, "prod"), running=running)
    assert decide(plan, _won("prod", _NEW)).reason is Reason.UP_TO_DATE


def test_image_that_moves_is_updated_although_the_tags_are_equal() -> None:
    plan = _plan("old.io/web:1", target=KustomizeTarget("old.io/web"))
    assert decide(plan, _won("1")).reason is Reason.UPDATE


def test_facts_are_needed_for_what_runs_and_is_valid() -> None:
    assert needs_facts(_plan())
    assert needs_facts(_plan(None, is_forced=True))
    assert not needs_facts(_plan(None))
    assert not needs_facts(_plan(invalid="x", invalid_reason=Reason.INVALID_SETTINGS))


def test_deciding_without_needed_facts_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no facts"):
        decide(_plan(), None)


def test_every_reason_has_a_severity() -> None:
    assert all(isinstance(severity_of(reason), Severity) for reason in Reason)


def test_only_unreadable_metadata_of_a_lost_tag_is_an_error_line() -> None:
    assert [loss for loss in Loss if severity_of_loss(loss) is Severity.ERROR] == [Loss.METADATA_UNREADABLE]
