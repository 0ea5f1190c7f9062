"""Quay, hosted and self-hosted: repository push notifications."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_query
from sidecar.webhooks.sender import Sender
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    repository = needed(document.text("repository"), "repository")
    registry = host_of(document.text("docker_url")) or "quay.io"
    tags = document.texts("updated_tags")
    return (PushEvent(registry, repository, needed(tags[0] if tags else "", "tag")),)


QUAY = Sender("quay.io", "Quay", check_query, _read)
