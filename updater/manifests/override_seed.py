"""What a new list of an override file begins with (``write-back.md`` 3.7).

The list replaces the Application's, so it begins with what the Application has: the first write changes the rendered
result for the changed images only.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from updater.manifests.fresh import Fresh
from updater.model.applications import HelmParameter, PluginVariable, SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit, PluginVariableEdit
from updater.rules.kustomize_items import identity_of
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images, merge_plugin_env

FORCE_STRING = "forcestring"
"""The spelling that the older updater writes; Argo CD reads any case."""


class OverrideMode(Enum):
    """What a new list begins with, by the value of ``--git-override-mode``."""

    SEED = "seed"
    """All entries of the Application's list."""
    MANAGED_ONLY = "managed-only"
    """Those that tracked images own."""


@dataclass(frozen=True, slots=True)
class OverrideSeed:
    """The current lists of the Application's source.

    ``managed``: names of parameters or variables, or left-hand sides of kustomize items, that tracked images own.
    """

    helm_parameters: tuple[HelmParameter, ...] = ()
    kustomize_images: tuple[str, ...] = ()
    plugin_env: tuple[PluginVariable, ...] = ()
    managed: frozenset[str] = frozenset()
    mode: OverrideMode = OverrideMode.SEED


@dataclass(frozen=True, slots=True)
class NewList:
    """The items of a new list, and the names of those that no tracked image owns."""

    items: list[Fresh]
    foreign: list[str]


def new_list(edits: Several[OverrideEdit], seed: OverrideSeed, kind: SourceKind) -> NewList:
    """The seeded list of one kind after its edits; edits of other kinds do not count."""
    match kind:
        case SourceKind.HELM:
            return _helm_list([edit for edit in edits if isinstance(edit, HelmParameterEdit)], seed)
        case SourceKind.KUSTOMIZE:
            return _kustomize_list([edit for edit in edits if isinstance(edit, KustomizeImageEdit)], seed)
        case SourceKind.PLUGIN:
            return _plugin_list([edit for edit in edits if isinstance(edit, PluginVariableEdit)], seed)
    assert_never(kind)


def _helm_list(edits: list[HelmParameterEdit], seed: OverrideSeed) -> NewList:
    """Sorted by name, in the order of bytes."""
    owned = seed.managed | {edit.name for edit in edits}
    kept = [entry for entry in seed.helm_parameters if _is_kept(entry.name, owned, seed)]
    merged = sorted(merge_helm_parameters(kept, edits), key=lambda entry: entry.name)
    return NewList([parameter_entry(entry) for entry in merged], [e.name for e in kept if e.name not in owned])


def _plugin_list(edits: list[PluginVariableEdit], seed: OverrideSeed) -> NewList:
    owned = seed.managed | {edit.name for edit in edits}
    kept = [entry for entry in seed.plugin_env if _is_kept(entry.name, owned, seed)]
    merged = merge_plugin_env(kept, edits)
    return NewList([variable_entry(entry) for entry in merged], [e.name for e in kept if e.name not in owned])


def _kustomize_list(edits: list[KustomizeImageEdit], seed: OverrideSeed) -> NewList:
    names = (*seed.managed, *(edit.left or edit.image for edit in edits))
    owned = frozenset(identity_of(name) for name in names)
    kept = [item for item in seed.kustomize_images if _is_kept(identity_of(item), owned, seed)]
    merged = merge_kustomize_images(kept, edits)
    return NewList([*merged], [item for item in kept if identity_of(item) not in owned])


def _is_kept(name: str, owned: frozenset[str], seed: OverrideSeed) -> bool:
    return seed.mode is OverrideMode.SEED or name in owned


def parameter_entry(entry: HelmParameter) -> Fresh:
    """A Helm parameter as it stands in the file."""
    forced: dict[str, Fresh] = {FORCE_STRING: True} if entry.force_string else {}
    return {"name": entry.name, "value": entry.value, **forced}


def variable_entry(entry: PluginVariable) -> Fresh:
    """A variable of a plugin as it stands in the file."""
    return {"name": entry.name, "value": entry.value}
