"""Kustomizations: the ``images`` list of the file (``write-back.md`` 3.8).

Fields are edited one by one, as ``kustomize edit set image`` would have them, but only for the images that changed:
comments, other fields and other entries stay. A ``newName`` is never removed; a stale ``digest`` never stays beside a
tag, because kustomize prefers it.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.fresh import Fresh
from updater.manifests.nodes import Alias, Mapping, Node, NodePath, Scalar, Sequence
from updater.manifests.readings import Source
from updater.manifests.targets import FileEdit, finished, open_target
from updater.model.changes import KustomizeImageEdit
from updater.model.references import canonical_name, split_reference

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize looks for in a directory (kustomize v5, ``konfig.RecognizedKustomizationFileNames``)."""

_IMAGES = "images"
_NAME, _NEW_NAME, _NEW_TAG, _DIGEST = "name", "newName", "newTag", "digest"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one entry shall say. ``new_name`` is empty unless ``kustomize.image-name`` is set."""

    name: str
    image: str
    new_name: str
    tag: str
    digest: str

    def references(self) -> dict[str, str]:
        return {key: text for key, text in ((_NEW_TAG, self.tag), (_DIGEST, self.digest)) if text}

    def entry(self) -> Fresh:
        new_name = {} if _is_same(self.new_name, self.name) else {_NEW_NAME: self.new_name}
        return {_NAME: self.name, **new_name, **self.references()}


def choose_kustomization_file(names: Several[str], where: str) -> str:
    """The one name among those of a directory that kustomize takes.

    Raises ``WriteBackError`` (``kustomization_not_found``, ``multiple_kustomization_files``).
    """
    found = [name for name in FILE_NAMES if name in names]
    if len(found) == 1:
        return found[0]
    if found:
        what, code = f"there are {' and '.join(found)}, which kustomize refuses", "multiple_kustomization_files"
        raise WriteBackError(what, where=where, hint="keep one of them", code=code)
    hint = "name the directory: kustomization:<directory>"
    raise WriteBackError("there is no kustomization file", where=where, hint=hint, code="kustomization_not_found")


def edit_kustomization(source: Source, edits: Several[KustomizeImageEdit], where: str) -> FileEdit:
    """The file after the edits, in their order.

    where: the file's path, for errors. Raises ``WriteBackError`` with a code of ``write-back.md`` 7.1 and the line,
    and for a shared text ``RefusedTogether``.
    """
    file = open_target(source, where)
    with file.failing_as_alone():
        for edit in edits:
            _set_image(file, _wanted(edit))
    return finished(file, source)


def _wanted(edit: KustomizeImageEdit) -> _Wanted:
    parts = split_reference(edit.image)
    new_name = parts.name if edit.left else ""
    return _Wanted(edit.left or parts.name, parts.name, new_name, parts.tag or "", parts.digest or "")


def _set_image(file: YamlFile, wanted: _Wanted) -> None:
    root = file.root
    index = root.find(_IMAGES) if isinstance(root, Mapping) else None
    if index is None:
        file.add_entry((), _IMAGES, [wanted.entry()])
        return
    path = file.follow((index,))
    names = _entry_names(file, path)
    found = _matching(names, wanted)
    if not found:
        file.add_item(path, len(names), wanted.entry())
    for position in found:
        _update(file, file.follow((*path, position)), wanted)


def _entry_names(file: YamlFile, path: NodePath) -> list[tuple[str, str]]:
    """``name`` and ``newName`` of every entry."""
    node = file.at(path)
    if isinstance(node, Scalar) and node.is_null:
        return []
    if not isinstance(node, Sequence):
        raise file.refusal("'images' is not a list", path, code="images_not_a_list")
    entries = [_entry(file, (*path, position), item) for position, item in enumerate(node.items)]
    return [(_value(file, *entry, _NAME), _value(file, *entry, _NEW_NAME)) for entry in entries]


def _entry(file: YamlFile, path: NodePath, item: Node) -> tuple[NodePath, Mapping]:
    """The mapping that an item is or stands for, and its path."""
    if isinstance(item, Alias):
        path = file.follow(path)
        item = file.at(path)
    if not isinstance(item, Mapping):
        hint = "write '- name: <image>' with newTag or digest below it"
        raise file.refusal("an entry of 'images' is no mapping", path, code="image_entry_not_mapping", hint=hint)
    return path, item


def _text(file: YamlFile, path: NodePath, key: str) -> str:
    mapping = file.at(path)
    return _value(file, path, mapping, key) if isinstance(mapping, Mapping) else ""


def _value(file: YamlFile, path: NodePath, mapping: Mapping, key: str) -> str:
    """The text of a field of the mapping at a path, empty for none."""
    index = mapping.find(key)
    if index is None:
        return ""
    node = mapping.entries[index][1]
    if isinstance(node, Alias):
        node = file.at(file.follow((*path, index)))
    return node.value if isinstance(node, Scalar) and not node.is_null else ""


def _field(file: YamlFile, path: NodePath, key: str) -> NodePath | None:
    mapping = file.at(path)
    index = mapping.find(key) if isinstance(mapping, Mapping) else None
    return None if index is None else (*path, index)


def _matching(names: list[tuple[str, str]], wanted: _Wanted) -> list[int]:
    """The first rule that finds something wins; all its matches are updated."""
    literal = [position for position, (name, _) in enumerate(names) if name == wanted.name]
    if literal:
        return literal
    same = [position for position, (name, _) in enumerate(names) if name and _is_same(name, wanted.name)]
    if same or wanted.new_name:
        return same
    return [position for position, (_, new) in enumerate(names) if new and _is_same(new, wanted.image)]


def _is_same(one: str, other: str) -> bool:
    return not one or canonical_name(one) == canonical_name(other)


def _update(file: YamlFile, path: NodePath, wanted: _Wanted) -> None:
    current = _text(file, path, _NEW_NAME)
    if wanted.new_name and not _is_same(wanted.new_name, current or _text(file, path, _NAME)):
        _put(file, path, _NEW_NAME, wanted.new_name, behind=(_NAME,))
    references = wanted.references()
    if references:
        _drop_stale(file, path, set(references))
    if _NEW_TAG in references:
        _put(file, path, _NEW_TAG, references[_NEW_TAG], behind=(_NEW_NAME, _NAME))
    if _DIGEST in references:
        _put(file, path, _DIGEST, references[_DIGEST], behind=(_NEW_TAG, _NEW_NAME, _NAME))


def _drop_stale(file: YamlFile, path: NodePath, wanted: set[str]) -> None:
    """Rename the one reference that is there to the one that is wanted, or take its line out beside the wanted one."""
    stale = {_NEW_TAG, _DIGEST} - wanted
    for key in stale:
        while (field := _field(file, path, key)) is not None:
            missing = [name for name in wanted if _field(file, path, name) is None]
            if missing:
                file.rename_entry(path, field[-1], missing[0])
            else:
                file.remove_entry(path, field[-1])


def _put(file: YamlFile, path: NodePath, key: str, value: str, *, behind: tuple[str, ...]) -> None:
    field = _field(file, path, key)
    if field is not None:
        file.set_string(file.follow(field), value)
        return
    before = next((found[-1] for name in behind if (found := _field(file, path, name)) is not None), None)
    file.add_entry(path, key, value, behind=before)
