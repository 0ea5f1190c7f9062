"""Editing the images list of a kustomization, byte for byte."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import WriteBackError
from updater.manifests.kustomization import edit_kustomization
from updater.model.changes import KustomizeImageEdit
from updater.model.references import ImageReference, parse_repository


def kustomize_edit(raw: dict[str, Any]) -> KustomizeImageEdit:
    """The edit for one changed image, in the words of the vectors."""
    wanted = ImageReference(parse_repository(raw["image"]), raw.get("tag", ""), raw.get("digest", ""))
    return KustomizeImageEdit(raw.get("kustomize_name", ""), wanted.full_reference)


def _edit(vector: Vector) -> Any:
    edits = [kustomize_edit(raw) for raw in vector.given["updates"]]
    try:
        edited = edit_kustomization(vector.given["input"], edits, "kustomization.yaml")
    except WriteBackError as error:
        return {"error": error.code}
    return {"changed": edited.is_changed, "output": edited.text}


ADAPTERS = {"kustomization_edit": _edit}
