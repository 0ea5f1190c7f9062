"""Which rule an Application falls under (``runtime.md`` 9.6 and 9.8, vectors ``imageupdater_specificity``).

Inside a document the most specific rule is tried first. Among documents the first by namespace and name is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

from updater.model.applications import ApplicationSnapshot
from updater.planning.documents import Rule, RulesDocument


def by_specificity(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules in the order in which they are tried; equally specific ones keep their written order."""
    return tuple(sorted(rules, key=lambda rule: -rule.selection.specificity))


@dataclass(frozen=True, slots=True)
class Match:
    """The document that an Application falls under, and its rules that match, in the order to try them.

    ``overruled`` is the next document that would match as well.
    """

    document: RulesDocument
    rules: tuple[Rule, ...]
    overruled: RulesDocument | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule with its place: of its document among all, and its own inside."""

    place: tuple[int, int]
    rule: Rule


class RuleBook:
    """All documents, immutable once built. A lookup by name spares trying every rule for every Application."""

    __slots__ = ("_by_name", "_others", "documents")

    def __init__(self, documents: Iterable[RulesDocument] = ()) -> None:
        self.documents = tuple(sorted(documents, key=lambda document: (document.namespace, document.name)))
        self._by_name: dict[str, list[_Entry]] = {}
        self._others: list[_Entry] = []
        for position, document in enumerate(self.documents):
            for order, rule in enumerate(document.rules):
                self._enter(_Entry((position, order), rule))

    def find(self, snapshot: ApplicationSnapshot) -> Match | None:
        """The match for an Application, None when no document says anything of it."""
        if not self.documents:
            return None
        found = self._matches(snapshot)
        first = next(found, None)
        if first is None:
            return None
        second = next(found, None)
        return Match(*first, overruled=None if second is None else second[0])

    def _enter(self, entry: _Entry) -> None:
        pattern = entry.rule.selection.name_pattern
        held = self._by_name.setdefault(pattern.text, []) if pattern.is_literal else self._others
        held.append(entry)

    def _matches(self, snapshot: ApplicationSnapshot) -> Iterator[tuple[RulesDocument, tuple[Rule, ...]]]:
        named = self._by_name.get(snapshot.key.name, ())
        entries = merge(named, self._others, key=lambda entry: entry.place)
        fitting = (entry for entry in entries if self._fits(entry, snapshot))
        for position, group in groupby(fitting, key=lambda entry: entry.place[0]):
            yield self.documents[position], tuple(entry.rule for entry in group)

    def _fits(self, entry: _Entry, snapshot: ApplicationSnapshot) -> bool:
        namespace = self.documents[entry.place[0]].namespace
        return namespace in ("", snapshot.key.namespace) and entry.rule.selection.matches(
            snapshot.key.name, snapshot.labels
        )
