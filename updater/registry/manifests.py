"""Manifests, indexes and configs: from the bytes of a registry to the facts that selection needs.

Rules: ``registries.md`` 3.6 and 3.7, after the OCI image-spec 1.1 and Docker's image manifest version 2. A document
that claims to be one kind and has the fields of the other is refused: two readers would see two different images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from updater.errors import RegistryProtocolError
from updater.model.images import ImageLabels
from updater.registry.contents import ConfigFacts, IndexEntry, IndexFacts, ManifestFacts
from updater.registry.creation_times import parse_created_ns
from updater.registry.digests import is_digest
from updater.registry.failures import bad_response
from updater.registry.labels import clean_labels
from updater.rules.platforms import Platform, make_platform

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPT = f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_LIST}, {DOCKER_MANIFEST}"
"""The same for every request: without the index types some registries hide images for several platforms."""

MAX_ENTRIES = 1_000
_INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
_MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_DOCKER_TYPES = frozenset({DOCKER_LIST, DOCKER_MANIFEST})
_VAGUE_TYPES = frozenset({"", "application/json", "text/plain", "application/octet-stream"})
_CREATED = "org.opencontainers.image.created"
_REFERENCE_TYPE = "vnd.docker.reference.type"
_UNKNOWN = "unknown"


def parse_manifest(content_type: str, body: bytes, where: str) -> IndexFacts | ManifestFacts:
    """What a manifest or index says. Raises ``RegistryProtocolError``.

    Code ``bad_response``: this is no answer of a registry, and another attempt may help. ``unsupported_manifest`` and
    ``bad_manifest``: the registry holds something that cannot be used.
    """
    document = _object(body, "the manifest", where)
    media_type = _media_type(content_type, document, where)
    if document.get("schemaVersion") != 2:
        raise _unsupported("its schemaVersion is not 2", where)
    named = document.get("mediaType")
    if named != media_type and (named is not None or media_type in _DOCKER_TYPES):
        raise _bad("its mediaType is not that of the answer", where)
    if media_type in _INDEX_TYPES:
        return _index(document, where)
    return _manifest(document, where)


def parse_config(body: bytes, where: str) -> ConfigFacts:
    """What an image's config says; a date or platform that cannot be read is absent. Raises as ``parse_manifest``."""
    document = _object(body, "the image config", where)
    history = document.get("history")
    dates = [parse_created_ns(step.get("created")) for step in _mappings(history)]
    return ConfigFacts(
        platform=_platform(document),
        created_ns=parse_created_ns(document.get("created")),
        history_ns=max((date for date in dates if date is not None), default=None),
    )


def parse_labels(body: bytes, where: str) -> ImageLabels:
    """The labels in an image's config, capped and cleaned; none where it has none. Raises as ``parse_manifest``.

    Code ``bad_manifest``: what has neither labels nor a platform is no config of an image, but of something else that
    a registry can hold, such as a chart or a signature.
    """
    document = _object(body, "the image config", where)
    labels = _mapping(_mapping(document.get("config")).get("Labels"))
    if not labels and _platform(document) is None:
        raise _bad("its config is not that of an image", where)
    return clean_labels(labels)


def _object(body: bytes, what: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_response(f"{what} is not JSON", where) from error
    if not isinstance(document, dict):
        raise bad_response(f"{what} is not a JSON object", where)
    return document


def _media_type(content_type: str, document: Mapping[str, Any], where: str) -> str:
    announced = content_type.partition(";")[0].strip().lower()
    if announced in _INDEX_TYPES | _MANIFEST_TYPES:
        return announced
    if announced == "text/html":
        raise bad_response("the registry answers with a page in place of a manifest", where)
    named = document.get("mediaType")
    if announced in _VAGUE_TYPES:
        if isinstance(named, str):
            announced = named
        elif "manifests" in document:
            announced = OCI_INDEX
        elif "config" in document:
            announced = OCI_MANIFEST
    if announced not in _INDEX_TYPES | _MANIFEST_TYPES:
        raise _unsupported(f"its type is {announced[:100]!r}", where)
    return announced


def _index(document: Mapping[str, Any], where: str) -> IndexFacts:
    if "config" in document or "layers" in document:
        raise _bad("it is an index with the fields of a manifest", where)
    entries = document.get("manifests")
    if not isinstance(entries, list) or not entries:
        raise _bad("it is an index without entries", where)
    if len(entries) > MAX_ENTRIES:
        raise _bad(f"it has more than {MAX_ENTRIES} entries", where)
    kept = tuple(entry for entry in (_entry(raw, where) for raw in _mappings(entries)) if entry is not None)
    return IndexFacts(kept, _annotated(document))


def _entry(descriptor: Mapping[str, Any], where: str) -> IndexEntry | None:
    """The entry a descriptor stands for; None for what is no image, such as the attestations that BuildKit adds."""
    media_type, digest = descriptor.get("mediaType"), descriptor.get("digest")
    if media_type not in _INDEX_TYPES | _MANIFEST_TYPES:
        return None
    if not isinstance(digest, str) or not is_digest(digest):
        raise _bad("an entry of the index has no legal digest", where)
    if _REFERENCE_TYPE in _mapping(descriptor.get("annotations")):
        return None
    platform = _platform(_mapping(descriptor.get("platform")))
    if platform is not None and platform.os == platform.architecture == _UNKNOWN:
        return None
    return IndexEntry(digest, platform, media_type in _INDEX_TYPES)


def _manifest(document: Mapping[str, Any], where: str) -> ManifestFacts:
    if "manifests" in document:
        raise _bad("it is a manifest with the fields of an index", where)
    config = _mapping(document.get("config"))
    digest, size = config.get("digest"), config.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise _bad("its config has no legal digest", where)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _bad("its config has no legal size", where)
    return ManifestFacts(digest, size, _annotated(document))


def _annotated(document: Mapping[str, Any]) -> int | None:
    return parse_created_ns(_mapping(document.get("annotations")).get(_CREATED))


def _platform(fields: Mapping[str, Any]) -> Platform | None:
    os, architecture, variant = (fields.get(name) for name in ("os", "architecture", "variant"))
    if not isinstance(os, str) or not isinstance(architecture, str) or not os or not architecture:
        return None
    return make_platform(os, architecture, variant if isinstance(variant, str) else "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _unsupported(reason: str, where: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the manifest cannot be used: {reason}",
        where=where,
        hint="push the image again with a current tool",
        code="unsupported_manifest",
    )


def _bad(reason: str, where: str) -> RegistryProtocolError:
    return RegistryProtocolError(f"the manifest is not valid: {reason}", where=where, code="bad_manifest")
