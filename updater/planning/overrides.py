"""Image overrides: what is written into the override list of one source, and what the list says now.

Merging follows ``write-back.md`` 2.3 to 2.5. An edit names one parameter or item; everything else in a list stays as
it is, in its order, and an edit that is applied twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from updater.model.applications import ApplicationSnapshot, HelmParameter, PluginVariable, SourceKind, SourceSnapshot
from updater.model.changes import (
    HelmParameterEdit,
    KustomizeImageEdit,
    OverrideEdit,
    OverrideLists,
    PluginVariableEdit,
    SourceChoice,
)
from updater.model.images import HelmTarget, ImagePlan, KustomizeTarget, OverrideTarget, PluginTarget
from updater.model.references import ImageReference, ImageRepository, canonical_name
from updater.planning.sources import select_source
from updater.rules.kustomize_items import matching_items, parse_item
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images, merge_plugin_env


def written_names(plan: ImagePlan) -> frozenset[str]:
    """What identifies the plan's overrides: names of parameters or variables, or the left-hand side of an item."""
    return target_names(plan.target, plan.repository)


def target_names(target: OverrideTarget, repository: ImageRepository) -> frozenset[str]:
    """``written_names`` before there is a plan."""
    if isinstance(target, KustomizeTarget):
        return frozenset((target.image_name or repository.full_name,))
    return frozenset((target.spec,)) if target.spec else frozenset(filter(None, (target.name, target.tag)))


def override_edits(
    plan: ImagePlan, wanted: ImageReference, snapshot: ApplicationSnapshot, choice: SourceChoice
) -> tuple[OverrideEdit, ...]:
    """What to write for one image, with the values that the selected source holds now.

    Raises ``PlanError`` when no source can be written. For several images of one Application use ``batch_edits``.
    """
    return batch_edits([(plan, wanted)], snapshot, choice)


def batch_edits(
    updates: Sequence[tuple[ImagePlan, ImageReference]], snapshot: ApplicationSnapshot, choice: SourceChoice
) -> tuple[OverrideEdit, ...]:
    """What to write for several images of one Application, in their order; one source takes all of it.

    Raises ``PlanError`` when no source can be written.
    """
    names = frozenset[str]().union(*(written_names(plan) for plan, _ in updates))
    source = snapshot.sources[select_source(snapshot, choice, names)]
    return tuple(edit for plan, wanted in updates for edit in _edits(plan.target, wanted, source))


def _edits(target: OverrideTarget, wanted: ImageReference, source: SourceSnapshot) -> tuple[OverrideEdit, ...]:
    if isinstance(target, KustomizeTarget):
        image = wanted.full_reference
        items = source.kustomize_images or ()
        found = matching_items(items, target.image_name, image)
        return (KustomizeImageEdit(target.image_name, image, items[found[0]] if found else None),)
    values = helm_values(target, wanted)
    if isinstance(target, PluginTarget):
        held = _values(source.plugin_env or ())
        return tuple(PluginVariableEdit(name, value, held.get(name)) for name, value in values)
    seen = _values(source.helm_parameters or ())
    return tuple(HelmParameterEdit(name, value, seen.get(name)) for name, value in values)


def helm_values(target: HelmTarget | PluginTarget, wanted: ImageReference) -> tuple[tuple[str, str], ...]:
    """Names and values of the parameters or variables for one image; a tag that is not known is not written."""
    if target.spec:
        return ((target.spec, wanted.full_reference),)
    pairs = ((target.name, wanted.repository.full_name), (target.tag, wanted.tag_with_digest))
    return tuple((name, value) for name, value in pairs if name and value)


def apply_edits(
    snapshot: ApplicationSnapshot, choice: SourceChoice, edits: Sequence[OverrideEdit]
) -> tuple[OverrideLists, OverrideLists]:
    """The override list of the selected source before and after the edits; equal values mean nothing to do.

    Raises ``PlanError`` when no source can be written.
    """
    names = {edit.left or edit.image if isinstance(edit, KustomizeImageEdit) else edit.name for edit in edits}
    index = select_source(snapshot, choice, names)
    source = snapshot.sources[index]
    match choice.kind:
        case SourceKind.HELM:
            parameters = source.helm_parameters
            helm = merge_helm_parameters(parameters, [edit for edit in edits if isinstance(edit, HelmParameterEdit)])
            return OverrideLists(index, parameters), OverrideLists(index, helm)
        case SourceKind.KUSTOMIZE:
            items = source.kustomize_images
            images = merge_kustomize_images(items, [edit for edit in edits if isinstance(edit, KustomizeImageEdit)])
            return OverrideLists(index, kustomize_images=items), OverrideLists(index, kustomize_images=images)
        case SourceKind.PLUGIN:
            held = source.plugin_env
            env = merge_plugin_env(held, [edit for edit in edits if isinstance(edit, PluginVariableEdit)])
            return OverrideLists(index, plugin_env=held), OverrideLists(index, plugin_env=env)
        case unreachable:
            assert_never(unreachable)


def current_in_spec(target: OverrideTarget, repository: ImageRepository, source: SourceSnapshot) -> str:
    """The reference that the source sets for an image now, empty when it sets none or not completely."""
    if isinstance(target, KustomizeTarget):
        return _kustomize_in_spec(target, repository, source.kustomize_images or ())
    if isinstance(target, PluginTarget):
        return helm_in_spec(target, source.plugin_env or ())
    parameters = source.helm_parameters or ()
    names = target_names(target, repository)
    if any(parameter.name in names and not parameter.force_string for parameter in parameters):
        # Without forceString Argo CD turns 1.10 into 1.1, so the parameter does not set what it seems to set.
        return ""
    return helm_in_spec(target, parameters)


def helm_in_spec(target: HelmTarget | PluginTarget, entries: Sequence[HelmParameter | PluginVariable]) -> str:
    """The value of the parameter or variable for the whole reference, or ``name:tag`` when both exist."""
    values = _values(entries)
    if target.spec:
        return values.get(target.spec, "")
    if target.name not in values or target.tag not in values:
        return ""
    return f"{values[target.name]}:{values[target.tag]}"


def _kustomize_in_spec(target: KustomizeTarget, repository: ImageRepository, items: Sequence[str]) -> str:
    found = {parse_item(items[index]) for index in matching_items(items, target.image_name, repository.full_name)}
    references = {_respelled(item.repository, repository) + item.suffix for item in found}
    return references.pop() if len(references) == 1 else ""


def _respelled(text: str, repository: ImageRepository) -> str:
    is_same = canonical_name(text) == canonical_name(repository.full_name)
    return repository.full_name if is_same else text


def _values(entries: Sequence[HelmParameter | PluginVariable]) -> dict[str, str]:
    return {entry.name: entry.value for entry in entries}
