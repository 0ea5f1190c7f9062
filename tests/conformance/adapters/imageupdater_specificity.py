"""The rule of an ``ImageUpdater`` document for one Application, from the document to the choice."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.planning.documents import Rule
from updater.planning.documents_choice import RuleBook
from updater.planning.documents_fields import Problems
from updater.planning.documents_reading import GROUP, read_documents


def _specificity(vector: Vector) -> Any:
    written = vector.given["application_refs"]
    problems = Problems()
    documents = read_documents(_document(written), "", problems)
    assert problems.found == []
    application = vector.given["app"]
    snapshot = ApplicationSnapshot(ApplicationKey("argocd", application["name"]), labels=application.get("labels", {}))
    match = RuleBook(documents).find(snapshot)
    names = [raw["namePattern"] for raw in written]
    scores = {_name(rule): rule.selection.specificity for rule in documents[0].rules}
    return {
        "scores": [scores[name] for name in names],
        "chosen_index": names.index(_name(match.rules[0])) if match else None,
    }


def _document(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": {"name": "rules"},
        "spec": {"applicationRefs": [{**rule, "useAnnotations": True} for rule in rules]},
    }


def _name(rule: Rule) -> str:
    return rule.selection.name_pattern.text


ADAPTERS = {"imageupdater_specificity": _specificity}
