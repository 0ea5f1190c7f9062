"""What the log says of labels that cannot be told: a warning for each image, once.

A registry that gives none is one warning a minute, with the number of images that share the cause.
"""

from __future__ import annotations

from collections.abc import Iterable

from updater.clock import Clock
from updater.engine.failure_classes import SHUTTING_DOWN
from updater.engine.labels import Unlabelled
from updater.engine.registry_failures import SaidFailures
from updater.model.references import ImageReference
from updater.ports.log import EventLog

MAX_REMEMBERED = 10_000
"""Images whose repetition is suppressed; beyond it everything is forgotten and said once more."""
_EVENT = "labels_unknown"


class LabelRemarks:
    """Thread-safe: threads that meet on a new image may both say it."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._causes = SaidFailures(clock)
        self._said: dict[ImageReference, str] = {}

    def say(self, unlabelled: Iterable[Unlabelled]) -> None:
        """Say of which images changes are written without labels; not when a shutdown keeps them from being written."""
        groups: dict[tuple[str, str, str], list[Unlabelled]] = {}
        for each in unlabelled:
            if each.why.error_code != SHUTTING_DOWN:
                cause = ("labels", each.image.repository.registry, each.why.error_code)
                groups.setdefault(cause, []).append(each)
        for cause, images in groups.items():
            self._say_cause(cause, images)

    def _say_cause(self, cause: tuple[str, str, str], images: list[Unlabelled]) -> None:
        news = [each for each in images if self._said.get(each.image) != each.why.error_code]
        met = {(key, each.image.full_reference) for each in news for key in each.applications}
        extent = self._causes.take_cause(cause, met) if news else None
        for each in images:
            fields = {"image": each.image.full_reference, "code": each.why.error_code, "error": each.why.problem}
            if extent is not None and each is news[0]:
                self._log.warning(_EVENT, **fields, images=extent.images, applications=extent.applications)
            else:
                self._log.debug(_EVENT, **fields)
        if extent is not None:
            self._remember(news)

    def _remember(self, said: list[Unlabelled]) -> None:
        if len(self._said) + len(said) > MAX_REMEMBERED:
            self._said.clear()
        self._said.update({each.image: each.why.error_code for each in said})
