"""Label selectors as the API server reads them: equality, sets and existence, joined by commas.

Written apart from the updater's own selector on purpose: the simulator must not share its mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import grpc

from updater.playground.refusals import Refusal

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_TERM = re.compile(
    rf"""\s*(?:
        !\s*(?P<absent>{_KEY})
      | (?P<key>{_KEY})(?:
            \s*(?P<equality>==?|!=)\s*(?P<value>{_VALUE}|)
          | \s+(?P<set>in|notin)\s*\(\s*(?P<values>(?:{_VALUE}|)(?:\s*,\s*(?:{_VALUE}|))*)\s*\)
        )?
    )\s*(?:,(?=.)|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: the label's value is (or is not) among ``values``; ``None`` stands for an absent label."""

    key: str
    values: frozenset[str | None]
    is_negated: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        return (labels.get(self.key) in self.values) != self.is_negated


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The terms of a selector, all of which must hold; a ``Refusal`` with code Unknown for bad syntax."""
    found: list[Requirement] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TERM.match(text, position)
        if match is None:
            raise Refusal(grpc.StatusCode.UNKNOWN, f"error parsing the selector: unable to parse {text[:200]!r}")
        found.append(_requirement(match))
        position = match.end()
    return tuple(found)


def _requirement(match: re.Match[str]) -> Requirement:
    absent, key, equality, of_set = match["absent"], match["key"], match["equality"], match["set"]
    if absent is not None:
        return Requirement(absent, frozenset({None}), is_negated=False)
    if equality is not None:
        return Requirement(key, frozenset({match["value"]}), is_negated=equality == "!=")
    if of_set is not None:
        values = frozenset(each.strip() for each in match["values"].split(","))
        return Requirement(key, values, is_negated=of_set == "notin")
    return Requirement(key, frozenset({None}), is_negated=True)
