"""Docker Hub: one push per request, the secret in the address because nothing else can be set there."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import needed, repository_of
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_query
from sidecar.webhooks.sender import Sender
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    repository = repository_of(document.part("repository"), "repo_name")
    tag = needed(document.part("push_data").text("tag"), "tag")
    return (PushEvent("docker.io", repository, tag),)


DOCKER_HUB = Sender("docker.io", "Docker Hub", check_query, _read)
