"""Rules documents for tests, in the few words that a test is about."""

from __future__ import annotations

from typing import Any

from updater.planning.documents import Rule, RuleImage, RulesDocument
from updater.planning.documents_choice import RuleBook
from updater.planning.documents_fields import Problems
from updater.planning.documents_reading import GROUP, read_documents

WEB = {"alias": "web", "imageName": "acme/web:~1.2"}


def rule(pattern: str = "shop", *images: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A rule as YAML gives it, for one image when none is named."""
    listed = {} if fields.get("useAnnotations") else {"images": list(images) or [dict(WEB)]}
    return {"namePattern": pattern, **listed, **fields}


def document(*rules: dict[str, Any], name: str = "rules", namespace: str = "", **spec: Any) -> dict[str, Any]:
    """A document as YAML gives it."""
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": metadata,
        "spec": {"applicationRefs": list(rules) or [rule()], **spec},
    }


def read(value: object) -> RulesDocument:
    """The one document in a value without problems."""
    problems = Problems()
    (found,) = read_documents(value, "x.yaml document 1", problems)
    assert problems.found == []
    return found


def problems_in(value: object) -> list[str]:
    problems = Problems()
    read_documents(value, "x.yaml document 1", problems)
    return [str(problem) for problem in problems.found]


def only_rule(value: object) -> Rule:
    (found,) = read(value).rules
    return found


def only_image(value: object) -> RuleImage:
    (found,) = only_rule(value).images
    return found


def book(*values: object) -> RuleBook:
    return RuleBook(read(value) for value in values)
