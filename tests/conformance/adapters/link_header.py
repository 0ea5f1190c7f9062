"""The next page of a tag listing."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import RegistryProtocolError
from updater.registry.links import next_page_url


def _link_header(vector: Vector) -> Any:
    try:
        return {"next": next_page_url(vector.given["request_url"], vector.given["link"])}
    except RegistryProtocolError as error:
        return {"error": error.code}


ADAPTERS = {"link_header": _link_header}
