"""Telling that an Application moved on after a decision was made on it.

Overwriting what somebody set meanwhile would undo an edit that nobody here has looked at; the next round sees it and
decides on it.
"""

from __future__ import annotations

from updater.model.applications import ANNOTATION_PREFIX, ApplicationSnapshot
from updater.model.changes import ChangeSet, HelmParameterEdit, OverrideEdit, OverrideLists, PluginVariableEdit
from updater.rules.kustomize_items import matching_items, replaced_item


def settings_of(application: ApplicationSnapshot) -> tuple[tuple[str, str], ...]:
    """The annotations that decisions on an Application rest on, sorted."""
    return tuple(
        sorted((key, value) for key, value in application.annotations.items() if key.startswith(ANNOTATION_PREFIX))
    )


def drift_since(change_set: ChangeSet, fresh: ApplicationSnapshot, now: OverrideLists) -> str:
    """Why a change set no longer stands on what it was decided on, as a line for people; empty when it does."""
    if settings_of(fresh) != change_set.annotations:
        return f"{fresh.key}: its image updater annotations were changed meanwhile; the next round decides afresh"
    if any(is_foreign_edit(now, edit) for edit in change_set.edits):
        return f"{fresh.key}: somebody else set the same override meanwhile; the next round decides afresh"
    return ""


def is_foreign_edit(now: OverrideLists, edit: OverrideEdit) -> bool:
    """Whether the list now holds, for this edit, neither what the decision saw nor what it wants."""
    if isinstance(edit, HelmParameterEdit):
        values = {parameter.name: parameter.value for parameter in now.helm_parameters or ()}
        return values.get(edit.name) not in (edit.seen, edit.value)
    if isinstance(edit, PluginVariableEdit):
        held = {variable.name: variable.value for variable in now.plugin_env or ()}
        return held.get(edit.name) not in (edit.seen, edit.value)
    items = now.kustomize_images or ()
    found = matching_items(items, edit.left, edit.image)
    if not found:
        return edit.seen is not None
    item = items[found[0]]
    return item not in (edit.seen, replaced_item(item, edit.left, edit.image))
