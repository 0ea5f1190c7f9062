"""Configured images against running ones, and against the override lists."""

from __future__ import annotations

from typing import Any

from tests.conformance.vectors import Vector
from updater.model.applications import ApplicationKey, HelmParameter
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit
from updater.model.images import HelmTarget, ImagePlan, KustomizeTarget, Strategy, TagRule
from updater.model.references import ImageReference, ImageRepository, parse_reference
from updater.planning.image_list import parse_entry
from updater.planning.live_images import assign_aliases, read_live_images, with_forced
from updater.planning.overrides import helm_in_spec, helm_values
from updater.rules.equality import is_moved, needs_update, pick_for_digest
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images

_KEY = ApplicationKey("argocd", "shop")


def _find_live(vector: Vector) -> Any:
    given = vector.given
    live = read_live_images(given["live"])
    return live.find(parse_entry(given["entry"]).repository, given["kustomize_image_name"] or "")


def _live_images(vector: Vector) -> Any:
    entries = [(parse_entry(row["entry"]), row["force"]) for row in vector.given["entries"]]
    live = with_forced(read_live_images(vector.given["status_images"]), entries)
    return [reference.full_reference for reference in live.references]


def _assign_aliases(vector: Vector) -> Any:
    live = read_live_images(vector.given["status_images"])
    records = assign_aliases(live, [parse_entry(entry) for entry in vector.given["entries"]])
    return [[alias, reference.full_reference] for alias, reference in records]


def _digest_pick(vector: Vector) -> Any:
    entry = parse_entry(vector.given["entry"])
    references = read_live_images(vector.given["live"]).references
    indexes = [index for index, reference in enumerate(references) if reference.repository == entry.repository]
    picked = pick_for_digest([references[i] for i in indexes], entry.constraint, vector.given["latest_digest"])
    return None if picked is None else indexes[picked]


def _reference(raw: dict[str, str]) -> ImageReference:
    return ImageReference(ImageRepository("", "acme/web"), raw["tag"], raw["digest"])


def _needs_update(vector: Vector) -> Any:
    given = vector.given
    if needs_update(Strategy(given["strategy"]), _reference(given["current"]), _reference(given["latest"])):
        return True
    if "entry" not in given:
        return False
    entry = parse_entry(given["entry"])
    live = parse_reference(given["live"])
    target = KustomizeTarget(given["kustomize_image_name"])
    plan = ImagePlan(_KEY, entry.text, entry.alias, entry.repository, TagRule(), target, live)
    return is_moved(plan, live)


def _kustomize_set(vector: Vector) -> Any:
    edit = KustomizeImageEdit(vector.given["kustomize_image_name"] or "", vector.given["new"])
    return list(merge_kustomize_images(vector.given["images"], [edit]))


def _target(given: dict[str, Any]) -> HelmTarget:
    default = HelmTarget()
    name, tag = given["image_name"] or default.name, given["image_tag"] or default.tag
    return HelmTarget(name, tag, given["image_spec"] or "")


def _parameters(given: dict[str, Any]) -> list[HelmParameter]:
    return [HelmParameter(name, value, force_string=True) for name, value in given["parameters"]]


def _helm_set(vector: Vector) -> Any:
    values = helm_values(_target(vector.given), parse_reference(vector.given["new"]))
    merged = merge_helm_parameters(
        _parameters(vector.given), [HelmParameterEdit(name, value) for name, value in values]
    )
    assert all(parameter.force_string for parameter in merged)
    return [[parameter.name, parameter.value] for parameter in merged]


def _helm_get(vector: Vector) -> Any:
    return helm_in_spec(_target(vector.given), _parameters(vector.given))


ADAPTERS = {
    "find_live": _find_live,
    "live_images": _live_images,
    "assign_aliases": _assign_aliases,
    "digest_pick": _digest_pick,
    "needs_update": _needs_update,
    "kustomize_set": _kustomize_set,
    "helm_set": _helm_set,
    "helm_get": _helm_get,
}
