"""Image overrides: what is written into the override list of one source, and what the list says now.

Merging follows ``write-back.md`` 2.3 and 2.4. An edit names one parameter or item; everything else in a list stays as
it is, in its order, and an edit that is applied twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from updater.model.applications import ApplicationSnapshot, HelmParameter, SourceKind, SourceSnapshot
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit, OverrideLists, SourceChoice
from updater.model.images import HelmTarget, ImagePlan, KustomizeTarget
from updater.model.references import ImageReference, ImageRepository, canonical_name
from updater.planning.sources import select_source
from updater.rules.kustomize_items import matching_items, parse_item
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images


def written_names(plan: ImagePlan) -> frozenset[str]:
    """What identifies the plan's overrides: names of Helm parameters, or the left-hand side of a kustomize item."""
    return target_names(plan.target, plan.repository)


def target_names(target: HelmTarget | KustomizeTarget, repository: ImageRepository) -> frozenset[str]:
    """``written_names`` before there is a plan."""
    if isinstance(target, KustomizeTarget):
        return frozenset((target.image_name or repository.full_name,))
    return frozenset((target.spec,)) if target.spec else frozenset((target.name, target.tag))


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


def _edits(
    target: HelmTarget | KustomizeTarget, wanted: ImageReference, source: SourceSnapshot
) -> tuple[OverrideEdit, ...]:
    if isinstance(target, KustomizeTarget):
        image = wanted.full_reference
        items = source.kustomize_images or ()
        found = matching_items(items, target.image_name, image)
        return (KustomizeImageEdit(target.image_name, image, items[found[0]] if found else None),)
    values = helm_values(target, wanted)
    seen = _helm_values_now(source)
    return tuple(HelmParameterEdit(name, value, seen.get(name)) for name, value in values)


def helm_values(target: HelmTarget, wanted: ImageReference) -> tuple[tuple[str, str], ...]:
    """Names and values of the parameters for one image; a tag that is not known is not written."""
    if target.spec:
        return ((target.spec, wanted.full_reference),)
    name = (target.name, wanted.repository.full_name)
    tag = wanted.tag_with_digest
    return (name, (target.tag, tag)) if tag else (name,)


def apply_edits(
    snapshot: ApplicationSnapshot, choice: SourceChoice, edits: Sequence[OverrideEdit]
) -> tuple[OverrideLists, OverrideLists]:
    """The override list of the selected source before and after the edits; equal values mean nothing to do.

    Raises ``PlanError`` when no source can be written.
    """
    names = {edit.name if isinstance(edit, HelmParameterEdit) else edit.left or edit.image for edit in edits}
    index = select_source(snapshot, choice, names)
    source = snapshot.sources[index]
    if choice.kind is SourceKind.HELM:
        before = OverrideLists(index, helm_parameters=source.helm_parameters)
        helm = [edit for edit in edits if isinstance(edit, HelmParameterEdit)]
        return before, replace(before, helm_parameters=merge_helm_parameters(source.helm_parameters, helm))
    before = OverrideLists(index, kustomize_images=source.kustomize_images)
    images = [edit for edit in edits if isinstance(edit, KustomizeImageEdit)]
    return before, replace(before, kustomize_images=merge_kustomize_images(source.kustomize_images, images))


def current_in_spec(target: HelmTarget | KustomizeTarget, repository: ImageRepository, source: SourceSnapshot) -> str:
    """The reference that the source sets for an image now, empty when it sets none or not completely."""
    if isinstance(target, KustomizeTarget):
        return _kustomize_in_spec(target, repository, source.kustomize_images or ())
    parameters = source.helm_parameters or ()
    names = target_names(target, repository)
    if any(parameter.name in names and not parameter.force_string for parameter in parameters):
        # Without forceString Argo CD turns 1.10 into 1.1, so the parameter does not set what it seems to set.
        return ""
    return helm_in_spec(target, parameters)


def helm_in_spec(target: HelmTarget, parameters: Sequence[HelmParameter]) -> str:
    """The value of the image-spec parameter, or ``name:tag`` when both parameters exist."""
    values = {parameter.name: parameter.value for parameter in parameters}
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


def _helm_values_now(source: SourceSnapshot) -> dict[str, str]:
    return {parameter.name: parameter.value for parameter in source.helm_parameters or ()}
