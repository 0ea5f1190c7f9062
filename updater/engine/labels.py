"""Labels of new images for the texts of commits: fetched for changes that are about to be written, and never needed.

Once per image of a round, and only for those whose texts show labels (``write-back.md`` 1.6). What cannot be told is
the empty map, which is said; the change is written all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from updater.clock import Deadline
from updater.engine.facts import in_pool
from updater.engine.polls import Need, Poller
from updater.model.applications import ApplicationKey
from updater.model.images import Decision, ImageLabels, Reason
from updater.model.references import ImageReference
from updater.ports.registry import LabelSource
from updater.rules.decisions import FactsUnavailable

LABELS_TIMEOUT_S = 60.0
"""For one image, waits for its turn and repeats included."""

GATHERING_TIMEOUT_S = 300.0
"""For all images of a round: their changes wait for it."""


@dataclass(frozen=True, slots=True)
class LabelNeed:
    """Which labels: ``platforms`` choose among the images of an index."""

    image: ImageReference
    platforms: tuple[str, ...] = ()
    pull_secret: str = ""


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Changes that are written without labels: of which image, of whom, and why."""

    image: ImageReference
    applications: frozenset[ApplicationKey]
    why: FactsUnavailable


class KnownLabels:
    """The labels of the images of one round."""

    def __init__(self, answers: Mapping[LabelNeed, ImageLabels | FactsUnavailable]) -> None:
        self._answers = answers

    def labels_of(self, decisions: Iterable[Decision]) -> tuple[ImageLabels, ...]:
        """Those of the images that are to be changed, in order; none where they cannot be told."""
        answers = (self._answers[need] for need in label_needs(decisions))
        return tuple(() if isinstance(answer, FactsUnavailable) else answer for answer in answers)

    def unlabelled(self, changes: Sequence[tuple[ApplicationKey, Sequence[Decision]]]) -> tuple[Unlabelled, ...]:
        """Each image whose labels cannot be told, once."""
        found: dict[LabelNeed, set[ApplicationKey]] = {}
        for application, decisions in changes:
            for need in label_needs(decisions):
                found.setdefault(need, set()).add(application)
        return tuple(
            Unlabelled(need.image, frozenset(applications), why)
            for need, applications in found.items()
            if isinstance(why := self._answers[need], FactsUnavailable)
        )


def label_needs(decisions: Iterable[Decision]) -> tuple[LabelNeed, ...]:
    """One for each image that is to be changed, in order."""
    return tuple(
        LabelNeed(decision.wanted, decision.plan.rule.platforms, decision.plan.pull_secret)
        for decision in decisions
        if decision.reason is Reason.UPDATE and decision.wanted is not None
    )


def gather_labels(
    decisions: Iterable[Decision],
    source: LabelSource,
    poller: Poller,
    deadline: Deadline,
    *,
    workers: int,
    on_polled: Callable[[], None],
) -> KnownLabels:
    """The labels of all images that are to be changed, each image once, in a pool of ``workers`` threads.

    on_polled: called after each of them, from any thread.
    """
    within = deadline.sooner(GATHERING_TIMEOUT_S)

    def fetch(need: LabelNeed) -> ImageLabels | FactsUnavailable:
        limit = within.sooner(LABELS_TIMEOUT_S)
        answer = poller.ask(
            Need(need.image.repository, need.pull_secret),
            Reason.METADATA_UNKNOWN,
            lambda: source.fetch_labels(need.image, need.platforms, limit, pull_secret=need.pull_secret),
        )
        on_polled()
        return answer

    needs = list(dict.fromkeys(label_needs(decisions)))
    return KnownLabels(dict(zip(needs, in_pool(fetch, needs, workers, "registry-labels"), strict=True)))
