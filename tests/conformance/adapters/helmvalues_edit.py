"""Writing into values files, byte for byte, and the form in which an image's name is written."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import WriteBackError
from updater.manifests.image_names import image_name_form
from updater.manifests.values_file import ValueWrite, edit_values
from updater.model.references import split_reference


def _edit(vector: Vector) -> Any:
    writes = [ValueWrite(raw["key"], raw["value"]) for raw in vector.given["writes"]]
    try:
        edited = edit_values(vector.given["input"], writes, "values.yaml")
    except WriteBackError as error:
        return {"error": error.code}
    return {"changed": edited.is_changed, "output": edited.text}


def _name_form(vector: Vector) -> Any:
    given = vector.given
    old = split_reference(given["old"]).name
    return image_name_form(given["image"], old, has_registry_key=given["sibling_registry_key"]) + given.get(
        "suffix", ""
    )


ADAPTERS = {"edit_values_file": _edit, "image_name_form": _name_form}
