"""The endpoint and repository name of an image, from a registries list as a file holds it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import RegistryError
from updater.model.references import ImageRepository
from updater.registry.configuration import parse_registries
from updater.registry.endpoints import EndpointTable


def _endpoint_for_image(vector: Vector) -> Any:
    text = json.dumps({"registries": vector.given["registries"]})
    table = EndpointTable(parse_registries(text, "registries.conf").endpoints)
    try:
        remote = table.locate(_repository(vector.given["image"]))
    except RegistryError as error:
        return {"error": error.code}
    endpoint = remote.endpoint
    return {
        "api": endpoint.api_url,
        "prefix": endpoint.prefix,
        "source": endpoint.source.value,
        "name": remote.name,
    }


def _repository(image: str) -> ImageRepository:
    """Host and path as written (``registries.md`` 1.7): nothing is folded here, unlike in the image list."""
    name = image.rpartition("=")[2].partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    host, slash, path = name.partition("/")
    is_host = bool(slash) and (host == "localhost" or re.search(r"[.:A-Z]", host) is not None)
    return ImageRepository(host, path) if is_host else ImageRepository("", name)


ADAPTERS = {"endpoint_for_image": _endpoint_for_image}
