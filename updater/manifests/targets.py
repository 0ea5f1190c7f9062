"""What the three file formats share: opening a target, and what came of editing it."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.errors import WriteBackError
from updater.manifests.edits import YamlFile
from updater.manifests.nodes import Mapping
from updater.manifests.readings import SharedText, Source, text_of
from updater.model.report import Warned

_LFS_HEADER = "version https://git-lfs.github.com/spec/"
"""First line of what Git LFS stores in place of a file (git-lfs specification, "The Pointer")."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The text of a file after its edits. ``is_changed`` is false when every wanted value stood there already.

    ``shared``: what the next edit of a shared text starts from; the text counts once that has been ``checked``.
    """

    text: str
    is_changed: bool
    warnings: tuple[Warned, ...] = ()
    shared: SharedText | None = field(default=None, repr=False, compare=False)


def finished(file: YamlFile, before: Source | None, warnings: tuple[Warned, ...] = ()) -> FileEdit:
    """The outcome for a file that was ``before``, None when it did not exist."""
    text = file.text
    return FileEdit(text, text != text_of(before), warnings, file.shared)


def open_target(source: Source, where: str, *, allows_several_documents: bool = False) -> YamlFile:
    """A file that may be edited: its root is a mapping or nothing.

    Raises ``WriteBackError`` (``parse_error``, ``multiple_documents``, ``root_not_mapping``,
    ``target_is_lfs_pointer``, ``target_is_encrypted``).
    """
    if (text_of(source) or "").startswith(_LFS_HEADER):
        hint = "keep small YAML files out of Git LFS"
        raise WriteBackError("the file is a pointer of Git LFS", where=where, hint=hint, code="target_is_lfs_pointer")
    file = YamlFile(source, where)
    if file.has_several_documents and not allows_several_documents:
        hint = "leave one document in it"
        raise WriteBackError("the file holds several documents", where=where, hint=hint, code="multiple_documents")
    _check_root(file)
    return file


def _check_root(file: YamlFile) -> None:
    if file.document.is_empty:
        return
    root = file.root
    if not isinstance(root, Mapping):
        raise file.refusal("expected a mapping at the top of the file", (), code="root_not_mapping")
    if isinstance(root.get("sops"), Mapping):
        hint = "name a target that SOPS does not encrypt: any edit breaks its authentication code"
        raise file.refusal("the file is encrypted by SOPS", (), hint=hint, code="target_is_encrypted")
