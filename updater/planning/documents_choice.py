"""Which rule an Application falls under (``runtime.md`` 9.6 and 9.8, vectors ``imageupdater_specificity``).

Inside a document the most specific rule is tried first. Among documents the first by namespace and name is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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


class RuleBook:
    """All documents, immutable once built. A lookup by name spares trying every document for every Application."""

    __slots__ = ("_by_name", "_others", "documents")

    def __init__(self, documents: Iterable[RulesDocument] = ()) -> None:
        self.documents = tuple(sorted(documents, key=lambda document: (document.namespace, document.name)))
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._others: list[int] = []
        for position, document in enumerate(self.documents):
            self._enter(position, document)

    def find(self, snapshot: ApplicationSnapshot) -> Match | None:
        """The match for an Application, None when no document says anything of it."""
        found = self._matches(snapshot)
        first = next(found, None)
        if first is None:
            return None
        second = next(found, None)
        return Match(*first, overruled=None if second is None else second[0])

    def _enter(self, position: int, document: RulesDocument) -> None:
        if all(rule.selection.name_pattern.is_literal for rule in document.rules):
            for name in {rule.selection.name_pattern.text for rule in document.rules}:
                self._by_name[name].append(position)
        else:
            self._others.append(position)

    def _matches(self, snapshot: ApplicationSnapshot) -> Iterator[tuple[RulesDocument, tuple[Rule, ...]]]:
        for position in sorted((*self._by_name.get(snapshot.key.name, ()), *self._others)):
            document = self.documents[position]
            if document.namespace in ("", snapshot.key.namespace):
                rules = _matching(document, snapshot)
                if rules:
                    yield document, rules


def _matching(document: RulesDocument, snapshot: ApplicationSnapshot) -> tuple[Rule, ...]:
    name, labels = snapshot.key.name, snapshot.labels
    return tuple(rule for rule in document.rules if rule.selection.matches(name, labels))
