"""Requests of one sender against the events that they hold."""

from __future__ import annotations

from typing import Any

from sidecar.webhooks.senders import SENDERS
from tests.conformance.vectors import Vector
from tests.sidecar.webhooks.requests_of_vectors import parsed

_SENDER = next(sender for sender in SENDERS if sender.type == "ghcr.io")


def _parsed(vector: Vector) -> Any:
    return parsed(_SENDER, vector.given)


ADAPTERS = {"webhook_ghcr": _parsed}
