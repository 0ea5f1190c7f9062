"""One Application's wish for one Git target, as data and a pure edit that can be applied again after a lost race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from updater.manifests.kustomization import edit_kustomization
from updater.manifests.override_file import OverrideFile, edit_override_file
from updater.manifests.override_seed import OverrideSeed
from updater.manifests.readings import Source
from updater.manifests.targets import FileEdit
from updater.manifests.values_file import ValueWrite, edit_values
from updater.model.applications import SourceKind
from updater.model.changes import ChangeSet, KustomizeImageEdit, OverrideEdit
from updater.model.git_targets import GitTarget, TargetFile
from updater.model.report import Warned

FileEditor = Callable[[Source | None, str], FileEdit]
"""Text of the file (None: there is none) and its path for errors, to the edited file.

Raises ``UpdaterError``, and ``RefusedTogether`` for a shared text.
"""


@dataclass(frozen=True, slots=True)
class QuotedMessage:
    """A message in whose ``title`` and ``body`` text from outside is marked as such for a forge."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class GitIntent:
    """Apply ``edit`` to the file of ``target`` and commit it under ``message``.

    The message is the Application's own, rendered and not blank; with several Applications in one commit it becomes a
    part of the common one. ``quoted`` are the same words for a pull request, None when they are the same text.
    ``warnings`` are what its owner or the operator should mend.
    """

    change_set: ChangeSet
    target: GitTarget
    message: str
    edit: FileEditor = field(repr=False, compare=False)
    warnings: tuple[Warned, ...] = ()
    quoted: QuotedMessage | None = None


def override_editor(
    edits: Sequence[OverrideEdit], seed: OverrideSeed, kind: SourceKind, file: TargetFile
) -> FileEditor:
    """Edits of the parameter override file, seeded from the Application when the file has no such list."""
    is_chosen = file is TargetFile.PARAMETERS
    return lambda source, where: edit_override_file(source, edits, seed, OverrideFile(where, kind, is_chosen))


def kustomization_editor(edits: Sequence[KustomizeImageEdit]) -> FileEditor:
    """Edits of a kustomization, which must exist."""
    return lambda source, where: edit_kustomization(source or "", edits, where)


def values_editor(writes: Sequence[ValueWrite]) -> FileEditor:
    """Writes into a file of Helm values, which is made when it is missing."""
    return lambda source, where: edit_values(source, writes, where)
