"""Writing the parameter override file, byte for byte."""

from __future__ import annotations

from typing import Any

from tests.conformance.adapters.kustomization_edit import kustomize_edit
from tests.conformance.vectors import Vector
from updater.errors import WriteBackError
from updater.manifests.override_file import OverrideFile, edit_override_file
from updater.manifests.override_seed import OverrideMode, OverrideSeed
from updater.model.applications import HelmParameter, PluginVariable, SourceKind
from updater.model.changes import HelmParameterEdit, OverrideEdit, PluginVariableEdit
from updater.model.images import HelmTarget, PluginTarget
from updater.model.references import ImageReference, parse_repository
from updater.planning.overrides import helm_values

_KINDS = {"helm": SourceKind.HELM, "kustomize": SourceKind.KUSTOMIZE, "plugin": SourceKind.PLUGIN}


def _edit(vector: Vector) -> Any:
    given = vector.given
    kind = _KINDS[given["kind"]]
    edits = [edit for raw in given["updates"] for edit in _edits(raw, kind)]
    target = OverrideFile("the file", kind, is_chosen=given.get("custom_path", False))
    try:
        edited = edit_override_file(given["existing"], edits, _seed(given, kind), target)
    except WriteBackError as error:
        return {"error": error.code}
    return {"changed": edited.is_changed, "output": edited.text}


def _edits(raw: dict[str, Any], kind: SourceKind) -> list[OverrideEdit]:
    if kind is SourceKind.KUSTOMIZE:
        return [kustomize_edit(raw)]
    wanted = ImageReference(parse_repository(raw["image"]), raw.get("tag", ""), raw.get("digest", ""))
    if kind is SourceKind.PLUGIN:
        named = raw["plugin"]
        variables = PluginTarget(named.get("env_name", ""), named.get("env_tag", ""), named.get("env_spec", ""))
        return [PluginVariableEdit(name, value) for name, value in helm_values(variables, wanted)]
    names = raw["helm"]
    target = HelmTarget(names.get("image_name", ""), names.get("image_tag", ""), names.get("image_spec", ""))
    return [HelmParameterEdit(name, value) for name, value in helm_values(target, wanted)]


def _seed(given: dict[str, Any], kind: SourceKind) -> OverrideSeed:
    rows, managed = given.get("spec_list", ()), frozenset(given.get("managed_names", ()))
    mode = OverrideMode(given["mode"])
    if kind is SourceKind.KUSTOMIZE:
        return OverrideSeed(kustomize_images=tuple(rows), managed=managed, mode=mode)
    if kind is SourceKind.PLUGIN:
        variables = tuple(PluginVariable(row["name"], row["value"]) for row in rows)
        return OverrideSeed(plugin_env=variables, managed=managed, mode=mode)
    parameters = tuple(HelmParameter(row["name"], row["value"], row.get("forceString", False)) for row in rows)
    return OverrideSeed(helm_parameters=parameters, managed=managed, mode=mode)


ADAPTERS = {"argocd_source_file": _edit}
