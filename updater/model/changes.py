"""Changes as data: what shall be written where, and what came of it.

An edit never carries a whole spec or file. It is re-applied to whatever the target holds at the moment of writing,
so that everything else somebody wrote meanwhile stays (``write-back.md`` 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from updater.model.applications import ApplicationKey, HelmParameter, PluginVariable, SourceKind
from updater.model.git_targets import GitTarget
from updater.model.images import ImageLabels


@dataclass(frozen=True, slots=True)
class HelmParameterEdit:
    """Set one Helm parameter, always with ``forceString`` (``write-back.md`` 2.3).

    ``seen`` is the value that the decision was based on (None: the parameter was absent). A fresh value that is
    neither ``seen`` nor ``value`` was written by somebody else after we decided.
    """

    name: str
    value: str
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class KustomizeImageEdit:
    """Set one item of ``kustomize.images``.

    ``left`` is the wanted left-hand side (``kustomize.image-name``), empty when there is none; ``image`` the full
    reference; ``seen`` the item that the decision was based on, None when there was none.
    """

    left: str
    image: str
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class PluginVariableEdit:
    """Set one environment variable of a plugin; ``seen`` as in ``HelmParameterEdit`` (``write-back.md`` 2.5)."""

    name: str
    value: str
    seen: str | None = None


OverrideEdit = HelmParameterEdit | KustomizeImageEdit | PluginVariableEdit


@dataclass(frozen=True, slots=True)
class ImageChange:
    """One image that gets a new tag or digest: what people read in summaries, events and commit messages.

    ``labels`` are those of the new image where a template shows them, else empty.
    """

    alias: str
    image: str
    old_tag: str
    new_tag: str
    labels: ImageLabels = ()


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """How to find the source to write to on any copy of the Application (``write-back.md`` 2.2).

    ``selector`` is the text of the annotation ``write-back-source``, empty when there is none.
    """

    kind: SourceKind
    selector: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Everything that one write-back target gets in one go. ``annotations`` are the owner's settings it rests on.

    ``git`` is the target in Git, None for the Application's own fields.
    """

    application: ApplicationKey
    project: str
    choice: SourceChoice
    edits: tuple[OverrideEdit, ...]
    images: tuple[ImageChange, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    git: GitTarget | None = None


@dataclass(frozen=True, slots=True)
class OverrideLists:
    """The override list of one source, before or after a change; the lists of the other kinds are None."""

    source_index: int
    helm_parameters: tuple[HelmParameter, ...] | None = None
    kustomize_images: tuple[str, ...] | None = None
    plugin_env: tuple[PluginVariable, ...] | None = None


class WriteOutcome(Enum):
    """What came of a change set."""

    WRITTEN = "written"
    """Stored, and seen in the answer or in a later read."""
    UNCHANGED = "unchanged"
    """The fresh copy already held every wanted value: nothing was sent."""
    DRY_RUN = "dry_run"
    """Would have been written."""
    SUPERSEDED = "superseded"
    """Somebody else changed the same fields or the settings after we decided: left alone until the next round."""
    FAILED = "failed"

    @property
    def counts_as_updated(self) -> bool:
        """Whether the images of the change set count as updated (``write-back.md`` 7.2)."""
        return self in (WriteOutcome.WRITTEN, WriteOutcome.DRY_RUN)


@dataclass(frozen=True, slots=True)
class WriteBackResult:
    """The one result of one change set. ``diff`` are lines for people; ``attempts`` counts calls that wrote.

    ``commit`` is the id of the commit that carries the change, empty for other targets. ``pull_request`` is the page of
    the open request that asks to take it over, ``warning`` what went wrong with that request after the push.
    """

    change_set: ChangeSet
    outcome: WriteOutcome
    attempts: int = 0
    diff: tuple[str, ...] = ()
    error_code: str = ""
    error: str = ""
    commit: str = ""
    pull_request: str = ""
    warning: str = ""
