"""From what an Application is to get to the intent that writes it: target, message and edit. Pure.

Sources: ``write-back.md`` 1.5, 1.6 and 3.7 to 3.9.
The remote has not been asked yet, so a base that nobody named stays open, as ``HEAD``, also in ``.TargetKey``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from updater.manifests.branches import BranchContext, render_write_branch
from updater.manifests.messages import CommitMessage, parse_message_template, render_message
from updater.manifests.override_seed import OverrideMode, OverrideSeed
from updater.manifests.template_data import TemplateChange, quoted_changes, shows_labels, target_key, template_changes
from updater.manifests.templates.functions import CORE, TemplateFunction
from updater.manifests.templates.syntax import Template
from updater.manifests.values_file import shadowing_parameters, value_writes
from updater.model.applications import SourceSnapshot
from updater.model.changes import ChangeSet, KustomizeImageEdit
from updater.model.git_targets import GitTarget, TargetFile
from updater.model.images import HelmTarget, ImageLabels, OverrideTarget
from updater.model.references import ImageReference
from updater.model.report import Warned
from updater.planning.git_settings import GitSettings
from updater.writeback.git_intents import (
    FileEditor,
    GitIntent,
    QuotedMessage,
    kustomization_editor,
    override_editor,
    values_editor,
)
from updater.writeback.git_requests_plain import plain_body, plain_title

_DEFAULT_BASE = "HEAD"
_REPLACED = "commit_message_replaced"


@dataclass(frozen=True, slots=True)
class IntentOptions:
    """What the operator says of commits: messages, functions of templates, the beginning of new override files.

    ``requests_show_labels``: a template for the title or body of pull requests mentions labels of images.
    """

    message: Template = field(default_factory=lambda: parse_message_template(None), repr=False)
    functions: Mapping[str, TemplateFunction] = field(default_factory=lambda: CORE, repr=False)
    override_mode: OverrideMode = OverrideMode.SEED
    requests_show_labels: bool = False

    def show_labels(self, target: GitTarget) -> bool:
        """Whether anything that is written of a change to this target says labels."""
        return shows_labels(self.message) or (self.requests_show_labels and target.pull_request is not None)


@dataclass(frozen=True, slots=True)
class GitWish:
    """What one Application is to get in Git.

    ``source`` is the one that its overrides belong to; ``updates`` say where each new image goes; ``managed`` names
    the overrides that its tracked images own.
    """

    change_set: ChangeSet
    settings: GitSettings
    source: SourceSnapshot
    updates: tuple[tuple[OverrideTarget, ImageReference], ...]
    managed: frozenset[str] = frozenset()


def make_intent(wish: GitWish, options: IntentOptions) -> GitIntent:
    """The intent; raises ``PlanError`` for a template of the write branch that gives no name."""
    changes = template_changes(wish.change_set.images)
    target = _target(wish, changes, options)
    message = render_message(options.message, wish.change_set.application.name, changes, options.functions)
    edit, warnings = _editor(wish, target, options)
    change_set = replace(wish.change_set, git=target)
    return GitIntent(change_set, target, message.text, edit, (*warnings, *_remarks(message)))


def with_labels(intent: GitIntent, labels: Sequence[ImageLabels], options: IntentOptions) -> GitIntent:
    """The intent with the labels of its images, in their order, and a message that knows them.

    An intent is complete without them, which come from a registry: whatever goes wrong there, it can be written.
    """
    images = tuple(replace(image, labels=found) for image, found in zip(intent.change_set.images, labels, strict=True))
    name, changes = intent.change_set.application.name, template_changes(images)

    def render(shown: Sequence[TemplateChange]) -> CommitMessage:
        return render_message(options.message, name, shown, options.functions)

    message = render(changes)
    quoted = None
    if intent.target.pull_request is not None:
        title, body = (render(quoted_changes(changes, quote)).text for quote in (plain_title, plain_body))
        quoted = QuotedMessage(title, body)
    others = tuple(warned for warned in intent.warnings if warned.kind != _REPLACED)
    return replace(
        intent,
        change_set=replace(intent.change_set, images=images),
        message=message.text,
        quoted=quoted,
        warnings=(*others, *_remarks(message)),
    )


def _remarks(message: CommitMessage) -> tuple[Warned, ...]:
    if not message.fallback_reason:
        return ()
    text = f"the commit message template gave no message, a plain one is used: {message.fallback_reason}"
    return (Warned(_REPLACED, text),)


def _target(wish: GitWish, changes: tuple[TemplateChange, ...], options: IntentOptions) -> GitTarget:
    settings, change_set = wish.settings, wish.change_set
    branch = ""
    if settings.branch_template:
        key = target_key(settings.remote.key, settings.revision or _DEFAULT_BASE, settings.path)
        context = BranchContext(change_set.application, key, changes)
        branch = render_write_branch(settings.branch_template, context, options.functions)
    return settings.target(write_branch=branch, project=change_set.project)


def _editor(wish: GitWish, target: GitTarget, options: IntentOptions) -> tuple[FileEditor, tuple[Warned, ...]]:
    edits = wish.change_set.edits
    match target.file:
        case TargetFile.KUSTOMIZATION:
            return kustomization_editor([edit for edit in edits if isinstance(edit, KustomizeImageEdit)]), ()
        case TargetFile.HELM_VALUES:
            return _values_editor(wish)
        case TargetFile.SOURCE_OVERRIDE | TargetFile.PARAMETERS:
            seed = _seed(wish, options.override_mode)
            return override_editor(edits, seed, wish.change_set.choice.kind, target.file), ()
        case unreachable:
            assert_never(unreachable)


def _values_editor(wish: GitWish) -> tuple[FileEditor, tuple[Warned, ...]]:
    writes = [
        write
        for target, wanted in wish.updates
        if isinstance(target, HelmTarget)
        for write in value_writes(target, wanted)
    ]
    shadowing = shadowing_parameters(writes, wish.source.helm_parameters or ())
    if not shadowing:
        return values_editor(writes), ()
    names = ", ".join(shadowing)[:300]
    text = f"its spec sets the Helm parameters {names}, which win over the values file: remove them from the spec"
    return values_editor(writes), (Warned("values_overridden", text),)


def _seed(wish: GitWish, mode: OverrideMode) -> OverrideSeed:
    source = wish.source
    return OverrideSeed(
        source.helm_parameters or (), source.kustomize_images or (), source.plugin_env or (), wish.managed, mode
    )
