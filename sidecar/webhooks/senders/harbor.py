"""Harbor: artifact events of a project."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed, repository_of
from sidecar.webhooks.rejections import foreign, no_resources
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_authorization_or_signature
from sidecar.webhooks.sender import Sender, check_json
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    kind = document.text("type")
    if kind != "PUSH_ARTIFACT":
        raise foreign("ignored_action", "ignoring event type", kind)
    data = document.part("event_data")
    resources = data.parts("resources")
    if not resources:
        raise no_resources()
    pushed = resources[0]
    repository = repository_of(data.part("repository"), "repo_full_name")
    tag = needed(pushed.text("tag"), "tag")
    # An artifact without an address can only be matched by images that name no registry.
    registry = host_of(pushed.text("resource_url")) or "harbor"
    return (PushEvent(registry, repository, tag, pushed.text("digest")),)


HARBOR = Sender("harbor", "Harbor", check_authorization_or_signature, _read, check_json)
