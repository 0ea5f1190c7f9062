"""Our own format, for build pipelines: ``{"name": "ghcr.io/acme/api", "tag": "1.4.2"}``."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_signature_or_header
from sidecar.webhooks.sender import Sender
from updater.model.references import split_host
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    named, repository = split_host(document.text("name"))
    registry = host_of(document.text("host")) or named
    tag = document.text("tag")
    return (PushEvent(registry, needed(repository, "repository"), needed(tag, "tag"), document.text("digest")),)


NATIVE = Sender("native", "our own format", check_signature_or_header, _read)
