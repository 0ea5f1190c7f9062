"""A webhook request as the vector files describe one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.sender import Sender
from updater.errors import WebhookRejected


def request_of(given: Mapping[str, Any]) -> WebhookRequest:
    headers = {name.lower(): value for name, value in given["headers"].items()}
    return WebhookRequest(given["method"], given["query"], headers, given["body"].encode())


def parsed(sender: Sender, given: Mapping[str, Any]) -> Any:
    """What a sender's rules make of a vector's request."""
    try:
        events = sender.parse(request_of(given["request"]), given["secret"])
    except WebhookRejected as error:
        return {"error": error.code, "status": 400}
    (event,) = events
    return {
        "event": {
            "registry_url": event.registry,
            "repository": event.repository,
            "tag": event.tag,
            "digest": event.digest,
        }
    }
