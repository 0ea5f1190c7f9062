"""Which repositories an Application is known to use, for events about them."""

from __future__ import annotations

from tests.unit.planning.builders import helm_application
from tests.unit.planning.documents import book, document, rule
from updater.model.references import ImageRepository
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions
from updater.planning.watched import watched_repositories


def names(own: dict[str, str], options: PlanOptions) -> set[str]:
    found = watched_repositories(helm_application(own), options, PlanMemory())
    return {repository.full_name for repository in found}


def test_every_entry_counts_also_one_that_cannot_be_followed() -> None:
    listed = "a=ghcr.io/acme/api:~1.0, acme/web:~one.two, r.io:5000/x@sha256:0, ghcr.io/acme/api:2, NOT LEGAL"
    assert names({"image-list": listed}, PlanOptions()) == {"ghcr.io/acme/api", "acme/web", "r.io:5000/x"}


def test_without_an_image_list_nothing_is_used() -> None:
    assert names({}, PlanOptions()) == set()
    assert names({"image-list": " , "}, PlanOptions()) == set()


def test_rules_documents_count_like_annotations() -> None:
    options = PlanOptions(rules=book(document(rule("shop"))))
    assert names({}, options) == {"acme/web"}
    assert names({"image-list": "acme/other"}, options) == {"acme/web"}, "a document that matches counts alone"
    assert names({"image-list": "acme/other"}, PlanOptions(follows_annotations=False)) == set()


def test_what_is_remembered_is_not_mixed_up() -> None:
    memory, options = PlanMemory(), PlanOptions()
    first, second = helm_application({"image-list": "acme/one"}), helm_application({"image-list": "acme/two"})
    for _ in range(2):
        assert watched_repositories(first, options, memory) == {ImageRepository("", "acme/one")}
        assert watched_repositories(second, options, memory) == {ImageRepository("", "acme/two")}
