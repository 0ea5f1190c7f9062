"""The parameter override file that Argo CD merges over a source (``write-back.md`` 3.7).

Argo CD applies it as a merge patch (RFC 7386), so its lists *replace* those of the Application: a list that begins in
the file begins with what the Application has, and from then on the file is authoritative. Existing files are spliced:
comments, other keys, spellings and the order of lists stay.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Mapping, NodePath, Scalar
from updater.manifests.override_entries import apply_edit
from updater.manifests.override_seed import OverrideSeed, new_list
from updater.manifests.readings import Source
from updater.manifests.targets import FileEdit, finished, open_target
from updater.model.applications import SourceKind
from updater.model.changes import HelmParameterEdit, KustomizeImageEdit, OverrideEdit, PluginVariableEdit
from updater.model.report import Warned

_UNREADABLE = frozenset(("parse_error", "multiple_documents", "root_not_mapping"))
_SOURCE_KEYS = frozenset(
    ("helm", "kustomize", "plugin", "directory", "repoURL", "path", "targetRevision", "chart", "ref", "name")
)
"""Top-level keys of an Argo CD source: what an override file may hold."""

_LISTS = {
    SourceKind.HELM: ("helm", "parameters"),
    SourceKind.KUSTOMIZE: ("kustomize", "images"),
    SourceKind.PLUGIN: ("plugin", "env"),
}
_EDITS: dict[SourceKind, type[OverrideEdit]] = {
    SourceKind.HELM: HelmParameterEdit,
    SourceKind.KUSTOMIZE: KustomizeImageEdit,
    SourceKind.PLUGIN: PluginVariableEdit,
}


@dataclass(frozen=True, slots=True)
class OverrideFile:
    """Which file is written: ``where`` is its path, ``kind`` the type of the Application.

    ``is_chosen``: an owner named the path, so a file that is no override file is refused, never made anew.
    """

    where: str
    kind: SourceKind
    is_chosen: bool = False


def edit_override_file(
    source: Source | None, edits: Several[OverrideEdit], seed: OverrideSeed, target: OverrideFile
) -> FileEdit:
    """The file after the edits, in their order.

    source: None when the file does not exist. Raises ``WriteBackError`` with a code of ``write-back.md`` 7.1 and the
    line, and for a shared text ``RefusedTogether``; a file of the default name that nobody can read is made anew
    instead, with a warning.
    """
    try:
        file = open_target(source or "", target.where)
    except WriteBackError as error:
        if target.is_chosen or error.code not in _UNREADABLE:
            raise
        warned = Warned("override_file_replaced", f"{error}; the file is written anew")
        file = open_target("", target.where)
        return finished(file, source, (warned, *_write(file, edits, seed, target)))
    if target.is_chosen:
        _check_keys(file)
    with file.failing_as_alone():
        warnings = _write(file, edits, seed, target)
    return finished(file, source, warnings)


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
    above = _find(file, (), block)
    path = None if above is None else _find(file, above, key)
    if path is not None:
        for edit in edits:
            if isinstance(edit, _EDITS[target.kind]):
                apply_edit(file, path, edit)
        return ()
    fresh = new_list(edits, seed, target.kind)
    if above is None:
        file.add_entry((), block, {key: fresh.items})
    else:
        file.add_entry(above, key, fresh.items)
    return _warnings(fresh.foreign, target)


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
