"""Alibaba Cloud Container Registry: Docker Hub's shape with a region, from which the registry's name follows."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed, repository_of
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_query
from sidecar.webhooks.sender import Sender
from updater.ports.nudges import PushEvent


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    fields = document.part("repository")
    repository = repository_of(fields, "repo_full_name")
    pushed = document.part("push_data")
    tag = needed(pushed.text("tag"), "tag")
    return (PushEvent(_registry(fields, request), repository, tag, pushed.text("digest")),)


def _registry(fields: Document, request: WebhookRequest) -> str:
    """An enterprise instance has a name that the payload does not tell: the sender's address may."""
    named, region = host_of(request.query.get("registry_url", "")), fields.text("region")
    return named or (f"registry.{region}.aliyuncs.com" if region else "")


ALIYUN = Sender("aliyun-acr", "the Alibaba Cloud Container Registry", check_query, _read)
