"""Whole requests against the application that the webhook server serves, without a socket."""

from __future__ import annotations

import re
from typing import Any

from sidecar.webhooks.routing import Routing
from tests.conformance.vectors import Vector
from tests.sidecar.webhooks.places import made_place
from updater.transport.redaction import Secret


def comparable(expect: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in expect.items() if value is not None}


def _routed(vector: Vector) -> Any:
    given, asked = vector.given, vector.given["request"]
    secrets = {name: Secret(value) for name, value in given["secrets"].items()}
    place = made_place(Routing(secrets, given["require_secret"]))
    repeat = asked.get("body_repeat")
    body = repeat["char"] * repeat["count"] if repeat else asked["body"]
    answer = place.client.open(
        asked["path"], method=asked["method"], query_string=asked["query"], headers=asked["headers"], data=body
    )
    (kind, result), *_ = place.metrics.requests or [(None, None)]
    is_accepted = result == "accepted"
    found = {
        "status": answer.status_code,
        "handler": kind if is_accepted else None,
        "error": None if is_accepted else result,
        "body": answer.text,
        "supported": _supported(answer.text),
    }
    return {key: found[key] for key in vector.expect}


def _supported(text: str) -> list[str]:
    found = re.search(r"Supported types: (.*)", text)
    return found[1].split(", ") if found else []


ADAPTERS = {"webhook_routing": _routed}
