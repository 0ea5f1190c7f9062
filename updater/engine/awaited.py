"""Changes that were made and that the cluster has not followed yet: news once, not in every round until it does.

A commit waits for Argo CD's next sync, a pull request for whoever takes it over, and an Application without automatic
sync for as long as it likes.
"""

from __future__ import annotations

from updater.model.applications import ApplicationKey
from updater.model.changes import WriteBackResult

MAX_REMEMBERED = 100_000
"""Images and change sets; beyond it everything is forgotten and said once more."""

Place = tuple[ApplicationKey, str, str]
"""An entry of an image list: its Application, alias and image."""


class Awaited:
    """What was said of each image and of each change set. Threads that meet on news may both say it."""

    def __init__(self) -> None:
        self._images: dict[Place, str] = {}
        self._stored: dict[ApplicationKey, tuple[str, ...]] = {}
        self._moving: set[ApplicationKey] = set()

    def is_image_news(self, place: Place, state: str) -> bool:
        """Whether an image is wanted, or waits, otherwise than in its last round."""
        if self._images.get(place) == state:
            return False
        if len(self._images) >= MAX_REMEMBERED:
            self._images.clear()
        if len(self._moving) >= MAX_REMEMBERED:
            # Only changes for Git are ever asked about.
            self._moving.clear()
        self._images[place] = state
        self._moving.add(place[0])
        return True

    def arrived(self, place: Place) -> None:
        """The cluster runs what is wanted: the next change is news whatever it is."""
        self._images.pop(place, None)

    def take_news(self, application: ApplicationKey) -> bool:
        """Whether an image of the Application was news since this was last asked."""
        is_news = application in self._moving
        self._moving.discard(application)
        return is_news

    def is_stored_news(self, result: WriteBackResult) -> bool:
        """Whether a change set that was found to be stored is another than in its last round."""
        application = result.change_set.application
        state = (result.pull_request, *(f"{each.image}:{each.new_tag}" for each in result.change_set.images))
        if self._stored.get(application) == state:
            return False
        if len(self._stored) >= MAX_REMEMBERED:
            self._stored.clear()
        self._stored[application] = state
        return True

    def written(self, application: ApplicationKey) -> None:
        """Something was to be written after all: finding it stored afterwards is news."""
        self._stored.pop(application, None)
