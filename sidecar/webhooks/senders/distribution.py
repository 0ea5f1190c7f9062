"""Notifications of the distribution project's registry, which GitLab's container registry sends too.

One request carries a batch of events about everything that happens there: pulls and layers as well as pushes. The
sender keeps its events in order and sends the first one until it is taken, so that a 400 for a layer would be the end
of all events (seen with version 2.8.2).
"""

from __future__ import annotations

from dataclasses import replace

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed
from sidecar.webhooks.rejections import rejected
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_authorization_or_query
from sidecar.webhooks.sender import Sender, check_content_type
from updater.ports.nudges import PushEvent


def _check_headers(request: WebhookRequest) -> None:
    # application/vnd.docker.distribution.events.v1+json, or what GitLab makes of it.
    check_content_type(request, "json")


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    otherwise = host_of(request.query.get("registry_url", ""))
    pushes = [event for event in document.parts("events") if _is_tag_push(event)]
    if not pushes:
        raise rejected("ignored_action", "ignoring events: none is a push of a tag")
    found: dict[tuple[str, str, str], PushEvent] = {}
    for event in pushes:
        push = _event(event, otherwise)
        found.setdefault((push.registry, push.repository, push.tag), push)
    return tuple(found.values())


def _is_tag_push(event: Document) -> bool:
    return event.text("action") == "push" and bool(event.part("target").text("tag"))


def _event(event: Document, otherwise: str) -> PushEvent:
    target = event.part("target")
    repository = needed(target.text("repository"), "repository")
    registry = event.part("request").text("host") or otherwise
    return PushEvent(registry, repository, target.text("tag"), target.text("digest"))


REGISTRY = Sender(
    "registry", "the distribution registry", check_authorization_or_query, _read, _check_headers, repeats_refused=True
)
GITLAB = replace(REGISTRY, type="gitlab", title="GitLab")
