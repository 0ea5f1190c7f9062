"""From the tags of a repository to one choice: filter, inspect only what the strategy needs, rank.

``Selector`` is what callers hold: it remembers compiled rules and parsed versions. The functions below it are pure and
give the same answer for any order of their input (``images-and-strategies.md`` 4.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import assert_never

from updater.errors import PlanError
from updater.model.images import Candidate, Choice, Loss, Reason, Strategy, TagRule
from updater.model.report import Warned
from updater.rules.constraints import Constraint, parse_constraint
from updater.rules.filters import TagFilter, compile_filter
from updater.rules.platforms import PlatformFilter, parse_platform_filter
from updater.rules.strategies.alphabetical import choose_last
from updater.rules.strategies.digest import NEEDS_TAG, choose_followed
from updater.rules.strategies.newest_build import choose_newest
from updater.rules.strategies.semver import choose_highest
from updater.rules.strategies.verdict import Verdict
from updater.rules.versions import Version, parse_version

_UNSEEN = Version(-1)
"""Marks a tag that was not parsed yet; no tag spells a negative number."""

_EVERY_RELEASE = "*"
"""What no constraint means: every release, no pre-release (1.3.0; ``images-and-strategies.md`` D6)."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with everything parsed. ``problem`` is an owner's mistake that leaves the strategy without a choice."""

    rule: TagRule
    tag_filter: TagFilter
    constraints: tuple[Constraint, ...]
    platforms: PlatformFilter
    problem: str = ""
    warnings: tuple[Warned, ...] = ()

    @property
    def needs_listing(self) -> bool:
        """Whether the tags of the repository have to be listed; digest looks at the one tag it follows."""
        return self.rule.strategy is not Strategy.DIGEST

    @property
    def needs_metadata(self) -> bool:
        """Whether the tags of the shortlist have to be inspected before ``choose``."""
        return self.rule.strategy in (Strategy.NEWEST_BUILD, Strategy.DIGEST)


def compile_rule(rule: TagRule) -> CompiledRule:
    """Parse everything an owner wrote, once; mistakes are recorded in the result, never raised."""
    tag_filter = compile_filter(rule.allow_tags, rule.ignore_tags)
    platforms = parse_platform_filter(rule.platforms)
    constraints, problem = _constraints(rule)
    malformed = tuple(
        Warned("platform_invalid", f"platforms: {item!r} is not 'os/arch[/variant]'; it matches nothing")
        for item in platforms.malformed
    )
    return CompiledRule(rule, tag_filter, constraints, platforms, problem, tag_filter.warnings + malformed)


def _constraints(rule: TagRule) -> tuple[tuple[Constraint, ...], str]:
    if rule.strategy is Strategy.DIGEST:
        return (), "" if rule.constraint else NEEDS_TAG
    if rule.strategy is not Strategy.SEMVER:
        return (), ""
    texts = [text for text in (rule.constraint, rule.semver_constraint) if text.strip()]
    try:
        return tuple(parse_constraint(text) for text in texts or [_EVERY_RELEASE]), ""
    except PlanError as problem:
        return (), str(problem)


def shortlist(rule: CompiledRule, tags: Iterable[str]) -> tuple[str, ...]:
    """The tags whose metadata ``choose`` needs, sorted; none for a strategy that goes by names alone.

    For the digest strategy ``tags`` may be just the tag to follow.
    """
    if not rule.needs_metadata:
        return ()
    kept, _ = rule.tag_filter.split(sorted(set(tags)))
    if rule.rule.strategy is Strategy.DIGEST:
        return tuple(tag for tag in kept if tag == rule.rule.constraint)
    return tuple(kept)


def followed_tags(rule: CompiledRule) -> tuple[str, ...]:
    """What stands in for the listing where none is needed: the tag to follow, if the filters let it pass."""
    return shortlist(rule, (rule.rule.constraint,)) if not rule.needs_listing else ()


class Selector:
    """Compiles rules and chooses tags, remembering rules, parsed versions and choices by name up to a bound.

    Safe for use by several threads: every step on the memory is one atomic dictionary operation, and threads that
    meet on a missing entry only do the same pure work twice. A full memory is emptied: it fills again in milliseconds.
    ``max_chosen_tags`` counts the tags in the lists whose choices are remembered, which is what they cost.
    """

    def __init__(
        self, *, max_rules: int = 20_000, max_versions: int = 200_000, max_chosen_tags: int = 1_000_000
    ) -> None:
        self._rules: dict[TagRule, CompiledRule] = {}
        self._versions: dict[str, Version | None] = {}
        self._choices: dict[tuple[TagRule, tuple[str, ...]], Choice] = {}
        self._chosen_tags = 0
        self._max_rules = max_rules
        self._max_versions = max_versions
        self._max_chosen_tags = max_chosen_tags

    def compile(self, rule: TagRule) -> CompiledRule:
        """``compile_rule``, remembered."""
        compiled = self._rules.get(rule)
        if compiled is None:
            compiled = compile_rule(rule)
            if len(self._rules) >= self._max_rules:
                self._rules.clear()
            self._rules[rule] = compiled
        return compiled

    def choose(self, rule: TagRule, candidates: Iterable[Candidate]) -> Choice:
        """``choose`` for candidates with their metadata."""
        return choose(self.compile(rule), candidates, self)

    def choose_by_name(self, rule: TagRule, tags: Sequence[str]) -> Choice:
        """``choose`` for a strategy that needs no metadata: the tags as listed, may repeat.

        A list that was seen before with the same rule costs one look-up; it is fastest for the very same tuple.
        """
        key = rule, tuple(tags)
        choice = self._choices.get(key)
        if choice is None:
            choice = choose_by_name(self.compile(rule), tags, self)
            self._remember(key, choice)
        return choice

    def _remember(self, key: tuple[TagRule, tuple[str, ...]], choice: Choice) -> None:
        self._chosen_tags += len(key[1])
        if self._chosen_tags > self._max_chosen_tags:
            self._choices.clear()
            self._chosen_tags = len(key[1])
        self._choices[key] = choice

    def parse_version(self, tag: str) -> Version | None:
        """``parse_version``, remembered."""
        known = self._versions.get(tag, _UNSEEN)
        if known is not _UNSEEN:
            return known
        if len(self._versions) >= self._max_versions:
            self._versions.clear()
        version = self._versions[tag] = parse_version(tag)
        return version


def choose(rule: CompiledRule, candidates: Iterable[Candidate], selector: Selector | None = None) -> Choice:
    """The winner among the candidates, and a loss for every other one.

    candidates: one per listed tag; tags that are not on the shortlist need no metadata. Of repeats the last counts.
    """
    by_tag = {candidate.tag: candidate for candidate in candidates}
    if not rule.needs_metadata:
        return choose_by_name(rule, list(by_tag), selector)
    kept, lost = rule.tag_filter.split(by_tag)
    remaining = [by_tag[tag] for tag in kept]
    if rule.rule.strategy is Strategy.DIGEST:
        return _choice(rule, choose_followed(remaining, rule.rule.constraint), lost)
    return _choice(rule, choose_newest(remaining), lost)


def choose_by_name(rule: CompiledRule, tags: Sequence[str], selector: Selector | None = None) -> Choice:
    """``choose`` where the names of the tags are all that counts; for other strategies no tag has metadata."""
    match rule.rule.strategy:
        case Strategy.SEMVER:
            kept, lost = rule.tag_filter.split(dict.fromkeys(tags))
            parse = selector.parse_version if selector else parse_version
            return _choice(rule, choose_highest(kept, rule.constraints, rule.problem, parse), lost)
        case Strategy.ALPHABETICAL:
            kept, lost = rule.tag_filter.split(dict.fromkeys(tags))
            return _choice(rule, choose_last(kept), lost)
        case Strategy.NEWEST_BUILD | Strategy.DIGEST:
            return choose(rule, [Candidate(tag, loss=Loss.METADATA_UNREADABLE) for tag in tags])
        case unreachable:
            assert_never(unreachable)


def _choice(rule: CompiledRule, verdict: Verdict, lost: list[tuple[str, Loss]]) -> Choice:
    losses = tuple(sorted(verdict.losses + lost, key=itemgetter(0)))
    considered = len(losses) + (verdict.winner is not None)
    if verdict.winner is not None:
        return Choice(verdict.winner, considered, losses)
    if not losses and verdict.none_because is Reason.NOTHING_FITS:
        return Choice(None, 0, (), Reason.NO_TAGS, verdict.problem or "the registry lists no tag for this image")
    problem = verdict.problem or rule.tag_filter.allowed.problem or _summary(losses)
    return Choice(None, considered, losses, verdict.none_because, problem)


def _summary(losses: tuple[tuple[str, Loss], ...]) -> str:
    """Why none of the tags is a candidate, by reason: ``none of 3 tags fits: 2 not a version, 1 older``."""
    tally = {loss: sum(other is loss for _, other in losses) for loss in Loss}
    parts = ", ".join(f"{count} {loss.value}" for loss, count in tally.items() if count)
    return f"none of {len(losses)} tags fits: {parts}"
