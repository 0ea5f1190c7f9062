"""Telling that somebody else set the same override after a decision was made.

Overwriting it would undo an edit that nobody here has looked at; the next round sees it and decides on it.
"""

from __future__ import annotations

from updater.model.changes import HelmParameterEdit, OverrideEdit, OverrideLists
from updater.planning.kustomize_items import matching_items, replaced_item


def is_foreign_edit(now: OverrideLists, edit: OverrideEdit) -> bool:
    """Whether the list now holds, for this edit, neither what the decision saw nor what it wants."""
    if isinstance(edit, HelmParameterEdit):
        values = {parameter.name: parameter.value for parameter in now.helm_parameters or ()}
        return values.get(edit.name) not in (edit.seen, edit.value)
    items = now.kustomize_images or ()
    found = matching_items(items, edit.left, edit.image)
    if not found:
        return edit.seen is not None
    item = items[found[0]]
    return item not in (edit.seen, replaced_item(item, edit.left, edit.image))
