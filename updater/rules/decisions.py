"""The one outcome of one planned image: the decision table of ``images-and-strategies.md`` 6.

The winner is never compared for "newer than current": it may be lower, and then it is a downgrade that the owner's
rule asks for. Where facts are missing the answer is *unknown*, and nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from updater.model.images import Choice, Counter, Decision, ImagePlan, Loss, Reason, Severity, Strategy
from updater.model.references import ImageReference
from updater.rules.equality import is_moved, needs_update, pick_for_digest

_SKIPPED = frozenset((Counter.SKIPPED,))
_CONSIDERED = frozenset((Counter.CONSIDERED,))
_CONSIDERED_AND_SKIPPED = frozenset((Counter.CONSIDERED, Counter.SKIPPED))
_UPDATED = frozenset((Counter.CONSIDERED, Counter.UPDATED))
_FAILED = frozenset((Counter.CONSIDERED, Counter.ERRORS))

_OUTCOMES = MappingProxyType(
    {
        Reason.UPDATE: (_UPDATED, Severity.INFO),
        Reason.UP_TO_DATE: (_CONSIDERED, Severity.DEBUG),
        Reason.ALREADY_SET: (_CONSIDERED, Severity.INFO),
        Reason.OVERRIDDEN: (_CONSIDERED, Severity.DEBUG),
        Reason.NOT_LIVE: (_SKIPPED, Severity.DEBUG),
        Reason.INVALID_REFERENCE: (_SKIPPED, Severity.WARNING),
        Reason.NO_TAGS: (_CONSIDERED_AND_SKIPPED, Severity.WARNING),
        Reason.NOTHING_FITS: (_CONSIDERED_AND_SKIPPED, Severity.WARNING),
        Reason.OUTSIDE_CONSTRAINT: (_CONSIDERED_AND_SKIPPED, Severity.DEBUG),
        Reason.INVALID_CONSTRAINT: (_FAILED, Severity.ERROR),
        Reason.INVALID_SETTINGS: (_FAILED, Severity.ERROR),
        Reason.ENDPOINT_UNKNOWN: (_FAILED, Severity.ERROR),
        Reason.CREDENTIALS_FAILED: (_FAILED, Severity.ERROR),
        Reason.TAGS_UNAVAILABLE: (_FAILED, Severity.ERROR),
        Reason.METADATA_UNKNOWN: (_FAILED, Severity.ERROR),
        Reason.SPEC_UNREADABLE: (_FAILED, Severity.ERROR),
    }
)


@dataclass(frozen=True, slots=True)
class FactsUnavailable:
    """Instead of a choice: why nothing is known of the image's tags.

    ``reason`` is one of ENDPOINT_UNKNOWN, CREDENTIALS_FAILED, TAGS_UNAVAILABLE and METADATA_UNKNOWN; ``problem`` and
    ``error_code`` are text and code of the error behind it.
    """

    reason: Reason
    problem: str
    error_code: str = ""


def severity_of(reason: Reason) -> Severity:
    """How loudly an outcome is reported."""
    return _OUTCOMES[reason][1]


def severity_of_loss(loss: Loss) -> Severity:
    """How loudly one lost tag is reported: unreadable metadata is an error line without an error counter (row 9)."""
    return Severity.ERROR if loss is Loss.METADATA_UNREADABLE else Severity.DEBUG


def needs_facts(plan: ImagePlan) -> bool:
    """Whether ``decide`` needs to know the tags; without facts pass a choice with no winner."""
    return plan.invalid_reason is None and (plan.live is not None or plan.is_forced)


def decide(plan: ImagePlan, outcome: Choice | FactsUnavailable | None) -> Decision:
    """The decision for one image; ``outcome`` may be None exactly when ``needs_facts`` is false."""
    if plan.invalid_reason is Reason.INVALID_REFERENCE:
        return _decision(plan, Reason.INVALID_REFERENCE, problem=plan.invalid)
    if plan.live is None and not plan.is_forced:
        return _decision(plan, Reason.NOT_LIVE)
    if plan.invalid_reason is not None:
        return _decision(plan, plan.invalid_reason, problem=plan.invalid)
    if outcome is None:
        raise ValueError(f"no facts for {plan.entry!r} of {plan.application}, whose decision needs them")
    if isinstance(outcome, FactsUnavailable):
        return _decision(plan, outcome.reason, problem=outcome.problem, error_code=outcome.error_code)
    return _decide_on_choice(plan, outcome)


def _decide_on_choice(plan: ImagePlan, choice: Choice) -> Decision:
    current = plan.live or ImageReference(plan.repository)
    if _is_running_tag_unreadable(plan, current, choice):
        problem = f"the metadata of the running tag {current.tag!r} cannot be read, so nothing newer can be told"
        return _decision(plan, Reason.METADATA_UNKNOWN, choice, problem=problem)
    if choice.winner is None:
        return _decision(plan, choice.none_because or Reason.NOTHING_FITS, choice, problem=choice.problem)
    digest = choice.winner.digest if plan.rule.strategy is Strategy.DIGEST else ""
    wanted = ImageReference(plan.repository, choice.winner.tag, digest)
    current = _current_for(plan, current, wanted)
    if not needs_update(plan.rule.strategy, current, wanted) and not is_moved(plan, current):
        return _decision(plan, Reason.UP_TO_DATE, choice)
    return _decide_on_change(plan, choice, wanted)


def _decide_on_change(plan: ImagePlan, choice: Choice, wanted: ImageReference) -> Decision:
    if plan.overridden_by:
        problem = f"{plan.overridden_by!r} comes later in the list, writes the same override, and wins"
        return _decision(plan, Reason.OVERRIDDEN, choice, problem=problem)
    if plan.spec_problem:
        return _decision(plan, Reason.SPEC_UNREADABLE, choice, problem=plan.spec_problem)
    if plan.in_spec == wanted.full_reference:
        return _decision(plan, Reason.ALREADY_SET, choice)
    return _decision(plan, Reason.UPDATE, choice, wanted=wanted)


def _is_running_tag_unreadable(plan: ImagePlan, current: ImageReference, choice: Choice) -> bool:
    has_metadata = plan.rule.strategy in (Strategy.NEWEST_BUILD, Strategy.DIGEST)
    return has_metadata and bool(current.tag) and (current.tag, Loss.METADATA_UNREADABLE) in choice.losses


def _current_for(plan: ImagePlan, current: ImageReference, wanted: ImageReference) -> ImageReference:
    if plan.rule.strategy is not Strategy.DIGEST or len(plan.running) < 2:
        return current
    index = pick_for_digest(plan.running, wanted.tag, wanted.digest)
    return current if index is None else plan.running[index]


def _decision(
    plan: ImagePlan,
    reason: Reason,
    choice: Choice | None = None,
    *,
    wanted: ImageReference | None = None,
    problem: str = "",
    error_code: str = "",
) -> Decision:
    return Decision(plan, reason, choice, wanted, problem, error_code, _OUTCOMES[reason][0])
