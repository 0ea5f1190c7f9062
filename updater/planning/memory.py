"""What planning remembers from one Application to the next: in a fleet most of what owners write repeats.

Settings by the annotations they were read from, image templates by those settings, running references by their text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from updater.model.references import IllegalReference, ImageReference, parse_reference
from updater.rules.selection import Selector

Value = TypeVar("Value")


class PlanMemory:
    """Owned by whoever plans many Applications; ``selector`` remembers rules and choices in the same way.

    Safe for use by several threads: every step is one atomic dictionary operation, and threads that meet on a missing
    entry only do the same pure work twice. A full memory is emptied.
    """

    def __init__(
        self, selector: Selector | None = None, *, max_settings: int = 20_000, max_references: int = 100_000
    ) -> None:
        self.selector = selector or Selector()
        self._derived: dict[Hashable, object] = {}
        self._references: dict[str, ImageReference | None] = {}
        self._max_settings = max_settings
        self._max_references = max_references

    def derive(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What ``make`` gives, which depends on nothing but ``key``."""
        found = self._derived.get(key)
        if found is None:
            found = make()
            if len(self._derived) >= self._max_settings:
                self._derived.clear()
            self._derived[key] = found
        return found  # type: ignore[return-value]  # the key determines the maker, and the maker the type

    def reference(self, text: str) -> ImageReference | None:
        """A running reference, None for a text that is none."""
        if text in self._references:
            return self._references[text]
        if len(self._references) >= self._max_references:
            self._references.clear()
        reference = self._references[text] = _reference(text)
        return reference


def _reference(text: str) -> ImageReference | None:
    try:
        return parse_reference(text)
    except IllegalReference:
        # Kubernetes runs nothing under such a name; Argo CD may still list what a broken manifest says.
        return None
