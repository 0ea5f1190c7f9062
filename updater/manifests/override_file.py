"""The parameter override file that Argo CD merges over a source (``write-back.md`` 3.7).

Argo CD applies it as a merge patch (RFC 7386), so its lists *replace* those of the Application: a list that begins in
the file begins with what the Application has, and from then on the file is authoritative. Existing files are spliced:
comments, other keys, spellings and the order of lists stay.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass
from enum import Enum

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.fresh import Fresh
from updater.manifests.nodes import Mapping, NodePath, Scalar, Sequence
from updater.manifests.targets import FileEdit, finished, open_target
from updater.model.applications import HelmParameter, SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit
from updater.model.report import Warned
from updater.rules.kustomize_items import identity_of, matching_items, new_item, replaced_item
from updater.rules.override_lists import merge_helm_parameters, merge_kustomize_images

_UNREADABLE = frozenset(("parse_error", "multiple_documents", "root_not_mapping"))
_SOURCE_KEYS = frozenset(
    ("helm", "kustomize", "plugin", "directory", "repoURL", "path", "targetRevision", "chart", "ref", "name")
)
"""Top-level keys of an Argo CD source: what an override file may hold."""

_LISTS = {SourceKind.HELM: ("helm", "parameters"), SourceKind.KUSTOMIZE: ("kustomize", "images")}
_FORCE_STRING = "forcestring"
"""The spelling that the older updater writes; Argo CD reads any case."""


class OverrideMode(Enum):
    """What a new list begins with, by the value of ``--git-override-mode``."""

    SEED = "seed"
    """All entries of the Application's list."""
    MANAGED_ONLY = "managed-only"
    """Those that tracked images own."""


@dataclass(frozen=True, slots=True)
class OverrideSeed:
    """The current list of the Application's source, of the kind that is written.

    ``managed``: names of Helm parameters, or left-hand sides of kustomize items, that tracked images own.
    """

    helm_parameters: tuple[HelmParameter, ...] = ()
    kustomize_images: tuple[str, ...] = ()
    managed: frozenset[str] = frozenset()
    mode: OverrideMode = OverrideMode.SEED


@dataclass(frozen=True, slots=True)
class OverrideFile:
    """Which file is written: ``where`` is its path, ``kind`` the type of the Application.

    ``is_chosen``: an owner named the path, so a file that is no override file is refused, never made anew.
    """

    where: str
    kind: SourceKind
    is_chosen: bool = False


def edit_override_file(
    text: str | None, edits: Several[OverrideEdit], seed: OverrideSeed, target: OverrideFile
) -> FileEdit:
    """The file after the edits, in their order.

    text: None when the file does not exist. Raises ``WriteBackError`` with a code of ``write-back.md`` 7.1 and the
    line; a file of the default name that nobody can read is made anew instead, with a warning.
    """
    try:
        file = open_target(text or "", target.where)
    except WriteBackError as error:
        if target.is_chosen or error.code not in _UNREADABLE:
            raise
        warned = Warned("override_file_replaced", f"{error}; the file is written anew")
        file = open_target("", target.where)
        return finished(file, text, (warned, *_write(file, edits, seed, target)))
    if target.is_chosen:
        _check_keys(file)
    return finished(file, text, _write(file, edits, seed, target))


def _check_keys(file: YamlFile) -> None:
    names = file.root.names() if isinstance(file.root, Mapping) else ()
    foreign = [name for name in names if name not in _SOURCE_KEYS]
    if foreign:
        text = f"the file has the key {foreign[0][:80]!r}, so it is no file of parameter overrides"
        hint = "write helmvalues:<file> as the target if it is a values file"
        raise file.refusal(text, (), code="target_not_override_file", hint=hint)


def _write(
    file: YamlFile, edits: Several[OverrideEdit], seed: OverrideSeed, target: OverrideFile
) -> tuple[Warned, ...]:
    block, key = _LISTS[target.kind]
    path = _find(file, (), block)
    if path is not None:
        path = _find(file, path, key)
    if path is not None:
        _edit_list(file, path, edits, target.kind)
        return ()
    items, foreign = _seeded(edits, seed, target.kind)
    above = _find(file, (), block)
    if above is None:
        file.add_entry((), block, {key: items})
    else:
        file.add_entry(above, key, items)
    return _warnings(foreign, target)


def _find(file: YamlFile, path: NodePath, key: str) -> NodePath | None:
    """The value of a key, aliases followed; None when the mapping has no such key or is not there."""
    node = file.at(path)
    if isinstance(node, Scalar) and node.is_null:
        return None
    if not isinstance(node, Mapping):
        raise file.refusal(f"expected a mapping with the key {key!r} here", path, code="not_a_mapping")
    index = node.find(key)
    return None if index is None else file.follow((*path, index))


def _warnings(foreign: list[str], target: OverrideFile) -> tuple[Warned, ...]:
    if not foreign:
        return ()
    names = ", ".join(foreign)[:300]
    text = f"{target.where}: the new list also holds what the Application overrides for no tracked image: {names}"
    return (Warned("override_file_seeded", text),)


def _seeded(edits: Several[OverrideEdit], seed: OverrideSeed, kind: SourceKind) -> tuple[list[Fresh], list[str]]:
    """The items of a new list, and the names of those that no tracked image owns."""
    managed_only = seed.mode is OverrideMode.MANAGED_ONLY
    if kind is SourceKind.HELM:
        helm = [edit for edit in edits if isinstance(edit, HelmParameterEdit)]
        owned = seed.managed | {edit.name for edit in helm}
        kept = [entry for entry in seed.helm_parameters if not managed_only or entry.name in owned]
        merged = sorted(merge_helm_parameters(kept, helm), key=lambda entry: entry.name)
        return [_parameter(entry) for entry in merged], [entry.name for entry in kept if entry.name not in owned]
    images = [edit for edit in edits if isinstance(edit, KustomizeImageEdit)]
    named = (*seed.managed, *(edit.left or edit.image for edit in images))
    owned = frozenset(identity_of(name) for name in named)
    items = [item for item in seed.kustomize_images if not managed_only or identity_of(item) in owned]
    return [*merge_kustomize_images(items, images)], [item for item in items if identity_of(item) not in owned]


def _parameter(entry: HelmParameter) -> Fresh:
    forced: dict[str, Fresh] = {_FORCE_STRING: True} if entry.force_string else {}
    return {"name": entry.name, "value": entry.value, **forced}


def _edit_list(file: YamlFile, path: NodePath, edits: Several[OverrideEdit], kind: SourceKind) -> None:
    for edit in edits:
        if isinstance(edit, HelmParameterEdit) and kind is SourceKind.HELM:
            _edit_parameter(file, path, edit)
        elif isinstance(edit, KustomizeImageEdit) and kind is SourceKind.KUSTOMIZE:
            _edit_image(file, path, edit)


def _items(file: YamlFile, path: NodePath) -> list[NodePath]:
    node = file.at(path)
    if isinstance(node, Scalar) and node.is_null:
        return []
    if not isinstance(node, Sequence):
        raise file.refusal("expected a list here", path, code="not_a_list")
    return [file.follow((*path, index)) for index in range(len(node.items))]


def _edit_parameter(file: YamlFile, path: NodePath, edit: HelmParameterEdit) -> None:
    items = _items(file, path)
    names = [_name(file, item) for item in items]
    found = [item for item, name in zip(items, names, strict=True) if name == edit.name]
    for item in found:
        _set_parameter(file, item, edit.value)
    if not found:
        is_sorted = names == sorted(names)
        place = sum(name < edit.name for name in names) if is_sorted else len(names)
        file.add_item(path, place, _parameter(HelmParameter(edit.name, edit.value, force_string=True)))


def _name(file: YamlFile, path: NodePath) -> str:
    field = _field(file, path, "name")
    node = None if field is None else file.at(file.follow(field))
    return node.value if isinstance(node, Scalar) else ""


def _field(file: YamlFile, path: NodePath, name: str) -> NodePath | None:
    """The value of a field in any case, as Argo CD decodes it; the last one counts."""
    node = file.at(path)
    if not isinstance(node, Mapping):
        raise file.refusal("expected a parameter with name and value here", path, code="not_a_mapping")
    found = [index for index, (key, _) in enumerate(node.entries) if _is_named(key, name)]
    return (*path, found[-1]) if found else None


def _is_named(key: object, name: str) -> bool:
    return isinstance(key, Scalar) and key.value.lower() == name


def _set_parameter(file: YamlFile, path: NodePath, text: str) -> None:
    value = _field(file, path, "value")
    if value is None:
        name = _field(file, path, "name")
        file.add_entry(path, "value", text, behind=name[-1] if name else None)
        value = _field(file, path, "value")
    else:
        file.set_string(file.follow(value), text)
    forced = _field(file, path, _FORCE_STRING)
    if forced is None:
        file.add_entry(path, _FORCE_STRING, True, behind=value[-1] if value else None)
    else:
        file.set_true(file.follow(forced))


def _edit_image(file: YamlFile, path: NodePath, edit: KustomizeImageEdit) -> None:
    items = _items(file, path)
    texts = [_item_text(file, item) for item in items]
    found = matching_items(texts, edit.left, edit.image)
    for index in found:
        file.set_string(items[index], replaced_item(texts[index], edit.left, edit.image))
    if not found:
        file.add_item(path, len(items), new_item(edit.left, edit.image))


def _item_text(file: YamlFile, path: NodePath) -> str:
    node = file.at(path)
    if not isinstance(node, Scalar):
        hint = "write images as [<name>=]<image>:<tag>"
        raise file.refusal("expected the text of an image here", path, code="not_a_scalar", hint=hint)
    return node.value
