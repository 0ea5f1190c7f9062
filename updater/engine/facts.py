"""Facts from registries, gathered once per repository and credentials whatever the number of Applications."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from updater.clock import Deadline
from updater.errors import CredentialError, RegistryAuthError, UpdaterError
from updater.model.images import Choice, ImagePlan, Reason, TagList, TagRule
from updater.model.references import ImageRepository
from updater.ports.log import EventLog
from updater.ports.registry import TagSource
from updater.rules.decisions import FactsUnavailable, needs_facts
from updater.rules.selection import Selector

POLL_TIMEOUT_S = 180.0
"""For one listing, all pages, retries and tokens included (``registries.md`` 5.4)."""

Item = TypeVar("Item")
Result = TypeVar("Result")

Need = tuple[ImageRepository, str]
"""Repository and pull secret: what one poll depends on."""


class Facts:
    """The tag lists of one round and the choices made from them.

    A choice does not look at the running tag, so one per (repository, rule) serves every Application that shares it.
    """

    def __init__(self, lists: dict[Need, TagList | FactsUnavailable], selector: Selector) -> None:
        self._lists = lists
        self._selector = selector
        self._choices: dict[tuple[Need, TagRule], Choice] = {}

    def outcome_for(self, plan: ImagePlan) -> Choice | FactsUnavailable | None:
        """What ``decide`` needs for a plan; None when it needs nothing."""
        if not needs_facts(plan):
            return None
        if self._selector.compile(plan.rule).needs_metadata:
            return _metadata_missing(plan)
        need = need_of(plan)
        listed = self._lists[need]
        if isinstance(listed, FactsUnavailable):
            return listed
        choice = self._choices.get((need, plan.rule))
        if choice is None:
            choice = self._selector.choose_by_name(plan.rule, listed.tags)
            self._choices[need, plan.rule] = choice
        return choice


def need_of(plan: ImagePlan) -> Need:
    """What has to be polled for a plan."""
    return plan.repository, plan.pull_secret


class Poller:
    """Lists the tags of one repository at a time; called from many threads."""

    def __init__(self, tags: TagSource, deadline: Deadline, log: EventLog, stopping: threading.Event) -> None:
        self._tags = tags
        self._deadline = deadline
        self._log = log
        self._stopping = stopping

    def poll(self, need: Need) -> TagList | FactsUnavailable:
        """The complete list, or why there is none; nothing is raised."""
        if self._stopping.is_set():
            text = "not asked, because the updater is shutting down"
            return FactsUnavailable(Reason.TAGS_UNAVAILABLE, text, "shutting_down")
        repository, pull_secret = need
        try:
            within = self._deadline.sooner(POLL_TIMEOUT_S)
            listed = self._tags.fetch_tags(repository, within, pull_secret=pull_secret)
        except UpdaterError as error:
            return _unavailable(error)
        except Exception as error:  # noqa: BLE001 - a bug in one poll must not cost the other repositories
            self._log.error("bug_found", exception=error, repository=repository.full_name, error=str(error))
            text = f"internal error: {type(error).__name__}"
            return FactsUnavailable(Reason.TAGS_UNAVAILABLE, text, "internal_error")
        self._log.debug("tags_listed", repository=repository.full_name, count=len(listed.tags))
        return listed


def gather(plans: Iterable[ImagePlan], poller: Poller, selector: Selector, *, workers: int) -> Facts:
    """Poll every repository that a plan needs, once, in a pool of ``workers`` threads."""
    listed = [plan for plan in plans if needs_facts(plan) and not selector.compile(plan.rule).needs_metadata]
    needs = list(dict.fromkeys(map(need_of, listed)))
    lists = in_pool(poller.poll, needs, workers, "registry-poll")
    return Facts(dict(zip(needs, lists, strict=True)), selector)


def in_pool(work: Callable[[Item], Result], items: list[Item], workers: int, name: str) -> list[Result]:
    """The results in the order of the items; ``work`` catches its own failures."""
    if not items:
        return []
    with ThreadPoolExecutor(max(1, min(workers, len(items))), name) as pool:
        return list(pool.map(work, items))


def _unavailable(error: UpdaterError) -> FactsUnavailable:
    if isinstance(error, CredentialError | RegistryAuthError):
        return FactsUnavailable(Reason.CREDENTIALS_FAILED, str(error), error.code)
    return FactsUnavailable(Reason.TAGS_UNAVAILABLE, str(error), error.code)


def _metadata_missing(plan: ImagePlan) -> FactsUnavailable:
    return FactsUnavailable(
        Reason.METADATA_UNKNOWN,
        f"the strategy {plan.rule.strategy.value} needs metadata of tags, which this release does not read yet; "
        "use semver or alphabetical",
        "strategy_unavailable",
    )
