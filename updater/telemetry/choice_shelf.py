"""The latest choices, so that somebody who asks can be told why a tag lost.

A choice holds a row for every tag of its repository. One choice serves many Applications and is held once; beyond a
bound those of the Applications that reported longest ago are let go, and nothing else is lost with them.
"""

from __future__ import annotations

from collections import OrderedDict

from updater.model.images import Choice

MAX_TAGS = 500_000
"""Rows held in all: about 32 MB beside the texts of the tags, which the registry client holds anyway."""

Choices = tuple[Choice | None, ...]


class ChoiceShelf:
    """Choices by Application. Not thread-safe: its owner holds a lock."""

    def __init__(self, max_tags: int = MAX_TAGS) -> None:
        self._max_tags = max_tags
        self._by_key: OrderedDict[str, Choices] = OrderedDict()
        self._users: dict[int, int] = {}
        """How many times each choice is held, by its identity, which is good while it is held."""
        self._tags = 0

    def put(self, key: str, choices: Choices) -> None:
        """Hold these in place of what was held for the Application."""
        self.drop(key)
        self._by_key[key] = choices
        for choice in choices:
            self._take(choice)
        while self._tags > self._max_tags and self._by_key:
            self.drop(next(iter(self._by_key)))

    def get(self, key: str) -> Choices | None:
        """None when nothing is held any more."""
        return self._by_key.get(key)

    def drop(self, key: str) -> None:
        """Let go; harmless when nothing is held."""
        for choice in self._by_key.pop(key, ()):
            self._release(choice)

    def _take(self, choice: Choice | None) -> None:
        if choice is None:
            return
        users = self._users.get(id(choice), 0)
        self._users[id(choice)] = users + 1
        if not users:
            self._tags += len(choice.losses)

    def _release(self, choice: Choice | None) -> None:
        if choice is None:
            return
        users = self._users[id(choice)] - 1
        if users:
            self._users[id(choice)] = users
        else:
            del self._users[id(choice)]
            self._tags -= len(choice.losses)
