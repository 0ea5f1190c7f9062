"""How specific the rules of an ``ImageUpdater`` document are, and what each selects (``runtime.md`` 9.6).

The most specific rule that matches name and labels is used; equally specific ones keep their written order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from updater.rules.globs import Glob
from updater.rules.label_selectors import LabelSelector

_EXACT_NAME = 1_000_000
_ANY_SELECTOR = 10_000
_REQUIREMENT = 100
_WILDCARDS = frozenset("*?[]")
_NOT_LITERAL = re.compile(r"\[[^\]]*\]|[*?]")


@dataclass(frozen=True, slots=True)
class ApplicationRule:
    """What selects Applications: a name pattern and, unless None, a label selector."""

    name_pattern: Glob
    labels: LabelSelector | None = None

    @property
    def specificity(self) -> int:
        """Greater is tried first: an exact name, then a selector and its requirements, then literal characters."""
        pattern = self.name_pattern.text
        score = len(_NOT_LITERAL.sub("", pattern))
        if _WILDCARDS.isdisjoint(pattern):
            score += _EXACT_NAME
        if self.labels is not None:
            score += _ANY_SELECTOR + _REQUIREMENT * len(self.labels.requirements)
        return score

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        return self.name_pattern.matches(name) and (self.labels is None or self.labels.matches(labels))
