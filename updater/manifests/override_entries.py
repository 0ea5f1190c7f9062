"""Edits of a list that stands in an override file already (``write-back.md`` 3.7).

The list is authoritative: nothing is copied into it, nothing moves. Fields are found in any case, as Argo CD decodes
them, and existing spellings stay.
"""

from __future__ import annotations

from typing import assert_never

from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Alias, Mapping, Node, NodePath, Scalar, Sequence
from updater.manifests.override_seed import FORCE_STRING, parameter_entry, variable_entry
from updater.model.applications import HelmParameter, PluginVariable
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit, PluginVariableEdit
from updater.rules.kustomize_items import matching_items, new_item, replaced_item


def apply_edit(file: YamlFile, path: NodePath, edit: OverrideEdit) -> None:
    """Set one entry of the list at ``path``, or add it.

    Raises ``WriteBackError`` (``not_a_list``, ``not_a_mapping``, ``not_a_scalar``).
    """
    items = _items(file, path)
    match edit:
        case HelmParameterEdit():
            _set_parameter(file, path, items, edit)
        case PluginVariableEdit():
            _set_variable(file, path, items, edit)
        case KustomizeImageEdit():
            _set_image(file, path, items, edit)
        case _:
            assert_never(edit)


def _items(file: YamlFile, path: NodePath) -> list[NodePath]:
    node = file.at(path)
    if isinstance(node, Scalar) and node.is_null:
        return []
    if not isinstance(node, Sequence):
        raise file.refusal("expected a list here", path, code="not_a_list")
    paths = [(*path, index) for index in range(len(node.items))]
    return [
        file.follow(each) if isinstance(item, Alias) else each for each, item in zip(paths, node.items, strict=True)
    ]


def _set_parameter(file: YamlFile, path: NodePath, items: list[NodePath], edit: HelmParameterEdit) -> None:
    """A list that is sorted stays sorted."""
    names = [_name(file, item) for item in items]
    found = [item for item, name in zip(items, names, strict=True) if name == edit.name]
    for item in found:
        _force_string(file, item, behind=_set_value(file, item, edit.value))
    if not found:
        place = sum(name < edit.name for name in names) if names == sorted(names) else len(names)
        file.add_item(path, place, parameter_entry(HelmParameter(edit.name, edit.value, force_string=True)))


def _set_variable(file: YamlFile, path: NodePath, items: list[NodePath], edit: PluginVariableEdit) -> None:
    found = [item for item in items if _name(file, item) == edit.name]
    for item in found:
        _set_value(file, item, edit.value)
    if not found:
        file.add_item(path, len(items), variable_entry(PluginVariable(edit.name, edit.value)))


def _set_value(file: YamlFile, path: NodePath, text: str) -> int | None:
    """Set the value of one entry; the position of its field is the result."""
    value = _field(file, path, "value")
    if value is not None:
        file.set_string(file.follow((*path, value)), text)
        return value
    file.add_entry(path, "value", text, behind=_field(file, path, "name"))
    return _field(file, path, "value")


def _force_string(file: YamlFile, path: NodePath, *, behind: int | None) -> None:
    forced = _field(file, path, FORCE_STRING)
    if forced is None:
        file.add_entry(path, FORCE_STRING, True, behind=behind)
    else:
        file.set_true(file.follow((*path, forced)))


def _name(file: YamlFile, path: NodePath) -> str:
    mapping = _mapping(file, path)
    field = _position(mapping, "name")
    if field is None:
        return ""
    node = mapping.entries[field][1]
    if isinstance(node, Alias):
        node = file.at(file.follow((*path, field)))
    return node.value if isinstance(node, Scalar) else ""


def _field(file: YamlFile, path: NodePath, name: str) -> int | None:
    """Position of a field in the entry at ``path``; the last one counts."""
    return _position(_mapping(file, path), name)


def _mapping(file: YamlFile, path: NodePath) -> Mapping:
    node = file.at(path)
    if not isinstance(node, Mapping):
        raise file.refusal("expected an entry with name and value here", path, code="not_a_mapping")
    return node


def _position(mapping: Mapping, name: str) -> int | None:
    for index in range(len(mapping.entries) - 1, -1, -1):
        if _is_named(mapping.entries[index][0], name):
            return index
    return None


def _is_named(key: Node, name: str) -> bool:
    return isinstance(key, Scalar) and key.value.lower() == name


def _set_image(file: YamlFile, path: NodePath, items: list[NodePath], edit: KustomizeImageEdit) -> None:
    texts = [_text(file, item) for item in items]
    found = matching_items(texts, edit.left, edit.image)
    for index in found:
        file.set_string(items[index], replaced_item(texts[index], edit.left, edit.image))
    if not found:
        file.add_item(path, len(items), new_item(edit.left, edit.image))


def _text(file: YamlFile, path: NodePath) -> str:
    node = file.at(path)
    if not isinstance(node, Scalar):
        hint = "write images as [<name>=]<image>:<tag>"
        raise file.refusal("expected the text of an image here", path, code="not_a_scalar", hint=hint)
    return node.value
