"""Commit messages of one Application and of a batch."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import ConfigurationError
from updater.manifests.messages import batch_message, parse_message_template, render_message
from updater.manifests.template_data import TemplateChange
from updater.model.applications import ApplicationKey


def template_change(raw: dict[str, Any]) -> TemplateChange:
    """One change, in the words of the vectors: the digest comes before the name."""
    old, new = (raw[side].get("digest") or raw[side].get("name", "") for side in ("old", "new"))
    return TemplateChange(raw["image"], raw["alias"], old, new, raw.get("labels", {}))


def _message(vector: Vector) -> Any:
    given = vector.given
    try:
        template = parse_message_template(given["template"])
    except ConfigurationError as error:
        return {"error": error.code}
    message = render_message(template, given["app_name"], [template_change(raw) for raw in given["changes"]])
    is_fallback = bool(message.fallback_reason)
    return {"rendered": message.text, "fallback": is_fallback, "commit_message": message.cleaned}


def _batch(vector: Vector) -> Any:
    template = parse_message_template(None)
    messages = []
    for raw in vector.given["apps"]:
        message = render_message(template, raw["name"], [template_change(change) for change in raw["changes"]])
        messages.append((ApplicationKey(raw["namespace"], raw["name"]), message.text))
    return {"message": batch_message(messages)}


ADAPTERS = {"render_commit_message": _message, "batch_message": _batch}
