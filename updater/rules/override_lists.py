"""Merging edits into an override list: the same for the list of a spec and for the list of an override file.

Source: ``write-back.md`` 2.3 to 2.5 and 3.7. Everything that no edit names stays as it is, in its order, and an edit
that is applied twice changes nothing the second time. Used by planning and by the editing of manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from updater.model.applications import HelmParameter, PluginVariable
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, PluginVariableEdit
from updater.rules.kustomize_items import matching_items, new_item, replaced_item


def merge_helm_parameters(
    current: Sequence[HelmParameter] | None, edits: Iterable[HelmParameterEdit]
) -> tuple[HelmParameter, ...]:
    """The list after the edits: same names replaced in place, repeats included, missing ones appended."""
    merged = list(current or ())
    for edit in edits:
        wanted = HelmParameter(edit.name, edit.value, force_string=True)
        found = [index for index, parameter in enumerate(merged) if parameter.name == edit.name]
        for index in found:
            merged[index] = wanted
        if not found:
            merged.append(wanted)
    return tuple(merged)


def merge_plugin_env(
    current: Sequence[PluginVariable] | None, edits: Iterable[PluginVariableEdit]
) -> tuple[PluginVariable, ...]:
    """The list after the edits: same names replaced in place, repeats included, missing ones appended."""
    merged = list(current or ())
    for edit in edits:
        wanted = PluginVariable(edit.name, edit.value)
        found = [index for index, variable in enumerate(merged) if variable.name == edit.name]
        for index in found:
            merged[index] = wanted
        if not found:
            merged.append(wanted)
    return tuple(merged)


def merge_kustomize_images(current: Sequence[str] | None, edits: Iterable[KustomizeImageEdit]) -> tuple[str, ...]:
    """The list after the edits: matching items replaced in place, otherwise one appended."""
    merged = list(current or ())
    for edit in edits:
        found = matching_items(merged, edit.left, edit.image)
        for index in found:
            merged[index] = replaced_item(merged[index], edit.left, edit.image)
        if not found:
            merged.append(new_item(edit.left, edit.image))
    return tuple(merged)
