"""Facts from registries, gathered once per repository and credentials whatever the number of Applications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from updater.engine.polls import Need, Poller
from updater.model.images import Candidate, Choice, ImagePlan, Inspection, Strategy, TagList, TagRule
from updater.rules.decisions import FactsUnavailable, needs_facts
from updater.rules.selection import CompiledRule, Selector, followed_tags, shortlist

Item = TypeVar("Item")
Result = TypeVar("Result")

Outcome = Choice | FactsUnavailable


def _nobody_hears() -> None:
    """For callers who do not watch."""


class Facts:
    """What the rules of one round came to, by repository, credentials and rule.

    A choice does not look at the running tag, so one per (need, rule) serves every Application that shares it.
    """

    def __init__(self, outcomes: Mapping[tuple[Need, TagRule], Outcome]) -> None:
        self._outcomes = outcomes

    def outcome_for(self, plan: ImagePlan) -> Outcome | None:
        """What ``decide`` needs for a plan; None when it needs nothing."""
        return self._outcomes[need_of(plan), plan.rule] if needs_facts(plan) else None


def need_of(plan: ImagePlan) -> Need:
    """What has to be polled for a plan."""
    return Need(plan.repository, plan.pull_secret)


def gather(
    plans: Iterable[ImagePlan],
    poller: Poller,
    selector: Selector,
    *,
    workers: int,
    on_polled: Callable[[], None] = _nobody_hears,
) -> Facts:
    """Poll every repository that a plan needs, once, in a pool of ``workers`` threads, and choose by every rule.

    on_polled: called after each of them, from any thread.
    """
    rules: dict[Need, dict[TagRule, None]] = {}
    for plan in plans:
        if needs_facts(plan):
            rules.setdefault(need_of(plan), {})[plan.rule] = None
    needs = list(rules)

    def poll(need: Need) -> list[Outcome]:
        outcomes = _guarded_outcomes(need, list(rules[need]), poller, selector)
        on_polled()
        return outcomes

    gathered = in_pool(poll, needs, workers, "registry-poll")
    return Facts(
        {
            (need, rule): outcome
            for need, outcomes in zip(needs, gathered, strict=True)
            for rule, outcome in zip(rules[need], outcomes, strict=True)
        }
    )


def in_pool(work: Callable[[Item], Result], items: list[Item], workers: int, name: str) -> list[Result]:
    """The results in the order of the items; ``work`` catches its own failures.

    Without a pool where one thread is enough: in continuous mode each attempt has a thread already.
    """
    threads = min(workers, len(items))
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads, name) as pool:
        return list(pool.map(work, items))


def _guarded_outcomes(need: Need, rules: list[TagRule], poller: Poller, selector: Selector) -> list[Outcome]:
    """One outcome per rule, whatever goes wrong among the rules of this repository."""
    outcomes = poller.guard(need, lambda: _outcomes(need, [selector.compile(rule) for rule in rules], poller, selector))
    return [outcomes] * len(rules) if isinstance(outcomes, FactsUnavailable) else outcomes


def _outcomes(need: Need, rules: list[CompiledRule], poller: Poller, selector: Selector) -> list[Outcome]:
    """One outcome per rule; the tags are listed once, and only if a rule needs the list."""
    nothing = TagList(need.repository, ())
    listed = poller.list_tags(need) if any(rule.needs_listing for rule in rules) else nothing
    return [_outcome(need, rule, listed, poller, selector) for rule in rules]


def _outcome(
    need: Need, rule: CompiledRule, listed: TagList | FactsUnavailable, poller: Poller, selector: Selector
) -> Outcome:
    if not rule.needs_listing:
        return _inspected(need, rule, followed_tags(rule), (), poller, selector)
    if isinstance(listed, FactsUnavailable):
        return listed
    if not rule.needs_metadata:
        return selector.choose_by_name(rule.rule, listed.tags)
    return _inspected(need, rule, shortlist(rule, listed.tags), listed.tags, poller, selector)


def _inspected(
    need: Need,
    rule: CompiledRule,
    wanted: tuple[str, ...],
    listed: tuple[str, ...],
    poller: Poller,
    selector: Selector,
) -> Outcome:
    """The choice among the shortlist; the other listed tags compete without metadata, to be told why they lost."""
    inspection = Inspection(rule.rule.platforms, wants_created=rule.rule.strategy is Strategy.NEWEST_BUILD)
    found = poller.inspect(need, wanted, inspection)
    if isinstance(found, FactsUnavailable):
        return found
    on_shortlist = frozenset(wanted)
    others = [Candidate(tag) for tag in listed if tag not in on_shortlist]
    return selector.choose(rule.rule, [*others, *found])
