"""Entries of the image list and the helpers on short names."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.model.references import has_registry_prefix, short_form
from updater.planning.image_list import ImageEntry, parse_entry, parse_image_list


def _parse_entry(vector: Vector) -> Any:
    try:
        entry = parse_entry(vector.given)
    except PlanError:
        return {"valid": False}
    reference = entry.reference
    return {
        "valid": True,
        "alias": entry.alias,
        "registry": entry.repository.registry,
        "name": entry.repository.name,
        "tag": entry.constraint or None,
        "digest": entry.digest or None,
        "full_name": entry.repository.full_name,
        "full_ref": reference.full_reference,
        "tag_with_digest": reference.tag_with_digest,
    }


def _parse_image_list(vector: Vector) -> Any:
    return [
        [entry.alias, entry.reference.full_reference] if isinstance(entry, ImageEntry) else ["<invalid>", "<invalid>"]
        for entry in parse_image_list(vector.given)
    ]


ADAPTERS = {
    "parse_entry": _parse_entry,
    "parse_image_list": _parse_image_list,
    "has_registry_prefix": lambda vector: has_registry_prefix(vector.given),
    "extract_short_form": lambda vector: short_form(vector.given),
}
