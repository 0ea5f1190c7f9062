"""Azure Container Registry: one event per request; a push without a tag is one by digest alone."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import needed
from sidecar.webhooks.rejections import foreign
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_authorization
from sidecar.webhooks.sender import Sender, check_json
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    action = document.text("action")
    if action != "push":
        raise foreign("ignored_action", "ignoring action", action)
    target = document.part("target")
    repository = needed(target.text("repository"), "repository")
    registry = document.part("request").text("host")
    return (PushEvent(registry, repository, target.text("tag"), target.text("digest")),)


ACR = Sender("acr", "the Azure Container Registry", check_authorization, _read, check_json)
