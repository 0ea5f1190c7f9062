"""Application spec plus changed images gives the new spec."""

from __future__ import annotations

import copy
from typing import Any

from tests.conformance.vectors import Vector
from updater.errors import PlanError
from updater.model.applications import (
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    PluginVariable,
    SourceKind,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.changes import OverrideLists, SourceChoice
from updater.model.images import HelmTarget, ImagePlan, KustomizeTarget, OverrideTarget, PluginTarget, TagRule
from updater.model.references import ImageReference, parse_repository
from updater.planning.overrides import apply_edits, batch_edits
from updater.planning.sources import source_kind

_KEY = ApplicationKey("argocd", "shop")


def _spec_override(vector: Vector) -> Any:
    given = vector.given
    snapshot = _snapshot(given["spec"], given["status"])
    try:
        forced = given.get("forced_source_type")
        kind = SourceKind(forced) if forced else source_kind(snapshot, allows_plugin=True)
        choice = SourceChoice(kind, given.get("source_selector", ""))
        edits = batch_edits([_update(raw, kind) for raw in given["updates"]], snapshot, choice)
        before, after = apply_edits(snapshot, choice, edits)
    except PlanError as problem:
        return {"error": problem.code}
    names = {SourceLayout.SINGLE: "source", SourceLayout.HYDRATED: "drySource"}
    return {
        "changed": before != after,
        "source": names.get(snapshot.layout, after.source_index),
        "spec": _patched(given["spec"], snapshot, after) if before != after else given["spec"],
    }


def _snapshot(spec: dict[str, Any], status: dict[str, Any]) -> ApplicationSnapshot:
    layout, sources = _sources(spec)
    return ApplicationSnapshot(
        _KEY,
        layout=layout,
        sources=tuple(_source(raw) for raw in sources),
        source_type=status.get("sourceType", ""),
        source_types=tuple(status.get("sourceTypes", ())),
    )


def _sources(spec: dict[str, Any]) -> tuple[SourceLayout, list[dict[str, Any]]]:
    if "sourceHydrator" in spec:
        return SourceLayout.HYDRATED, [spec["sourceHydrator"]["drySource"]]
    if "sources" in spec:
        return SourceLayout.MULTIPLE, spec["sources"]
    return (SourceLayout.SINGLE, [spec["source"]]) if "source" in spec else (SourceLayout.NONE, [])


def _source(raw: dict[str, Any]) -> SourceSnapshot:
    helm, kustomize, plugin = raw.get("helm"), raw.get("kustomize"), raw.get("plugin")
    return SourceSnapshot(
        chart=raw.get("chart", ""),
        ref=raw.get("ref", ""),
        name=raw.get("name", ""),
        helm_parameters=None if helm is None else _parameters(helm),
        kustomize_images=None if kustomize is None else tuple(kustomize.get("images", ())),
        plugin_env=None if plugin is None else _variables(plugin),
    )


def _parameters(helm: dict[str, Any]) -> tuple[HelmParameter, ...]:
    rows = helm.get("parameters", ())
    return tuple(HelmParameter(row["name"], row["value"], row.get("forceString", False)) for row in rows)


def _variables(plugin: dict[str, Any]) -> tuple[PluginVariable, ...]:
    return tuple(PluginVariable(row["name"], row["value"]) for row in plugin.get("env", ()))


def _update(raw: dict[str, Any], kind: SourceKind) -> tuple[ImagePlan, ImageReference]:
    repository = parse_repository(raw["image"])
    wanted = ImageReference(repository, raw.get("tag", ""), raw.get("digest", ""))
    return ImagePlan(_KEY, raw["image"], "", repository, TagRule(), _target(raw, kind), None), wanted


def _target(raw: dict[str, Any], kind: SourceKind) -> OverrideTarget:
    if kind is SourceKind.PLUGIN:
        named = raw["plugin"]
        return PluginTarget(named.get("env_name", ""), named.get("env_tag", ""), named.get("env_spec", ""))
    if kind is SourceKind.KUSTOMIZE:
        return KustomizeTarget(raw.get("kustomize_name", ""))
    names = raw.get("helm", {})
    default = HelmTarget()
    name, tag = names.get("image_name", default.name), names.get("image_tag", default.tag)
    return HelmTarget(name, tag, names.get("image_spec", ""))


def _patched(spec: dict[str, Any], snapshot: ApplicationSnapshot, after: OverrideLists) -> dict[str, Any]:
    patched = copy.deepcopy(spec)
    source = _sources(patched)[1][after.source_index]
    if after.kustomize_images is not None:
        source.setdefault("kustomize", {})["images"] = list(after.kustomize_images)
    elif after.plugin_env is not None:
        source.setdefault("plugin", {})["env"] = [
            {"name": variable.name, "value": variable.value} for variable in after.plugin_env
        ]
    else:
        source.setdefault("helm", {})["parameters"] = [
            {
                "name": parameter.name,
                "value": parameter.value,
                **({"forceString": True} if parameter.force_string else {}),
            }
            for parameter in after.helm_parameters or ()
        ]
    return patched


ADAPTERS = {"spec_override": _spec_override}
