"""From what an owner wrote and what the remote has to branches (``write-back.md`` 3.3 and 3.4). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import PlanError
from updater.manifests.branches import resolve_base_branch
from updater.model.git_targets import GitTarget
from updater.ports.git import HEADS, TAGS, RemoteRefs

MAX_NAME = 1000
"""Characters of a name that is asked about; git's own limit is that of file names, 255 bytes for each part."""


@dataclass(frozen=True, slots=True)
class Branches:
    """``base`` is where an edit starts, ``push`` where the commit goes; ``expected`` is the tip of ``push`` now.

    ``is_kept``: ``push`` is the base or the remote's default branch, which no owner's template makes anew.
    """

    base: str
    push: str
    base_commit: str
    expected: str | None
    is_kept: bool


def branch_names(target: GitTarget) -> tuple[str, ...]:
    """The names to ask the remote about; raises ``PlanError`` ``invalid_branch_name`` for what no branch is called."""
    revision = target.revision.removeprefix(HEADS).removeprefix(TAGS)
    names = tuple(name for name in (revision, target.write_branch) if name and name != "HEAD")
    for name in names:
        if len(name) > MAX_NAME or not name.isprintable() or set(" :~^?*[\\") & set(name):
            hint = "see the annotation git-branch and the source's targetRevision"
            raise PlanError(f"{name[:120]!r} is no name of a branch", hint=hint, code="invalid_branch_name")
    return names


def resolve_branches(target: GitTarget, refs: RemoteRefs) -> Branches:
    """Base and push branch of a batch; raises ``PlanError`` as ``resolve_base_branch`` does.

    With ``pr_config_invalid`` when a pull request is wanted from the base into itself: the base is not to be pushed.
    """
    base = resolve_base_branch(target.revision, refs.refs, refs.head)
    push = target.write_branch or base
    if target.pull_request is not None and push == base:
        text = f"a pull request from {base!r} into itself makes no sense, and nothing is pushed there"
        hint = "let the template of git-branch name another branch than the base"
        raise PlanError(text, where=str(target.remote), hint=hint, code="pr_config_invalid")
    is_kept = push == base or HEADS + push == refs.head
    return Branches(base, push, refs.refs[HEADS + base], refs.branch(push), is_kept)
