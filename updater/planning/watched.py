"""The repositories that the image list of an Application names: what an event about one of them is compared with.

Eligibility is judged elsewhere; an entry that cannot be followed, for example for its constraint, is named all the same
(``runtime.md`` 7.6).
"""

from __future__ import annotations

from updater.model.applications import ApplicationSnapshot
from updater.model.references import ImageRepository
from updater.planning.application_settings import find_settings
from updater.planning.eligibility import Skipped
from updater.planning.image_list import ImageEntry
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions


def watched_repositories(
    snapshot: ApplicationSnapshot, options: PlanOptions, memory: PlanMemory
) -> frozenset[ImageRepository]:
    """All of them, as written; none for an Application without an image list."""
    settings = find_settings(snapshot, options.rules, memory, follows_annotations=options.follows_annotations)
    if isinstance(settings, Skipped):
        return frozenset()
    return frozenset(entry.repository for entry, _ in settings.images if isinstance(entry, ImageEntry))
