"""Branches of a write: the base that a revision means, and the write branch that a template names.

Source: ``write-back.md`` 1.5, 3.3 and 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.errors import PlanError
from updater.manifests.template_data import TemplateChange, change_digest
from updater.manifests.templates.evaluator import read_template, render_template
from updater.manifests.templates.functions import CORE, TemplateFunction
from updater.manifests.templates.values import Record
from updater.model.applications import ApplicationKey
from updater.rules.branch_names import clean_branch_name

HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_COMMIT = re.compile(r"[0-9a-fA-F]{7,40}")
_HINT = "name a branch with the annotation git-branch"


@dataclass(frozen=True, slots=True)
class BranchContext:
    """What a branch template is rendered for. ``target_key``: see ``template_data.target_key``."""

    application: ApplicationKey
    target_key: str
    changes: Sequence[TemplateChange]


def render_write_branch(template: str, context: BranchContext, functions: Mapping[str, TemplateFunction] = CORE) -> str:
    """The name of the write branch.

    Raises ``PlanError``: ``template_parse``, ``template_exec``, ``empty_branch_name``.
    """
    rendered = render_branch_text(template, context, functions)
    name = clean_branch_name(rendered, change_digest(context.changes))
    if not name:
        text = f"the template of the write branch gave {rendered[:80]!r}, which is no name"
        raise PlanError(text, where=str(context.application), code="empty_branch_name")
    return name


def render_branch_text(template: str, context: BranchContext, functions: Mapping[str, TemplateFunction] = CORE) -> str:
    """What the template prints, not yet a name; raises ``PlanError`` (``template_parse``, ``template_exec``)."""
    data = Record(
        {
            "Images": tuple(change.for_branches() for change in context.changes),
            "SHA256": change_digest(context.changes),
            "AppName": context.application.name,
            "AppNamespace": context.application.namespace,
            "TargetKey": context.target_key,
        }
    )
    return render_template(read_template(template, functions), data, functions)


def resolve_base_branch(revision: str, refs: Mapping[str, str], head: str | None) -> str:
    """The branch that a revision means on a remote.

    revision: as written, empty for the default branch. refs: full names to ids. head: what ``HEAD`` points to, None
    when nothing. Raises ``PlanError`` (``no_default_branch``, ``branch_not_found``, ``revision_is_tag``,
    ``revision_is_commit``).
    """
    if revision in ("", "HEAD"):
        if head is None or head not in refs or not head.startswith(HEADS):
            raise PlanError("the repository has no default branch", hint=_HINT, code="no_default_branch")
        return head.removeprefix(HEADS)
    name = revision.removeprefix(HEADS)
    if HEADS + name in refs:
        return name
    raise _unresolved(revision, refs)


def _unresolved(revision: str, refs: Mapping[str, str]) -> PlanError:
    shown = repr(revision[:120])
    if revision in refs or _TAGS + revision in refs:
        return PlanError(f"revision {shown} is a tag, and a tag cannot be written", hint=_HINT, code="revision_is_tag")
    if _COMMIT.fullmatch(revision):
        text = f"revision {shown} is a commit, and a commit cannot be written"
        return PlanError(text, hint=_HINT, code="revision_is_commit")
    return PlanError(f"the remote has no branch {shown}", hint=_HINT, code="branch_not_found")
