"""From what an owner wrote and what the remote has to branches (``write-back.md`` 3.3 and 3.4). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.errors import PlanError
from updater.model.git_targets import GitTarget
from updater.ports.git import HEADS, TAGS, RemoteRefs

_COMMIT = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_SET_BRANCH = "set the annotation git-branch to the branch to write to"


@dataclass(frozen=True, slots=True)
class Branches:
    """``base`` is where an edit starts, ``push`` where the commit goes; ``expected`` is the tip of ``push`` now."""

    base: str
    push: str
    base_commit: str
    expected: str | None

    @property
    def is_new(self) -> bool:
        """Whether the push branch has to be created."""
        return self.expected is None


def branch_names(target: GitTarget) -> tuple[str, ...]:
    """The names to ask the remote about."""
    revision = target.revision.removeprefix(HEADS).removeprefix(TAGS)
    return tuple(name for name in (revision, target.write_branch) if name and name != "HEAD")


def resolve_base_branch(revision: str, refs: RemoteRefs) -> str:
    """The name of the base branch.

    Raises ``PlanError``: ``no_default_branch``, ``revision_is_tag``, ``revision_is_commit``, ``branch_not_found``.
    """
    if revision in ("", "HEAD"):
        head = (refs.head or "").removeprefix(HEADS)
        if not head or refs.branch(head) is None:
            raise PlanError("the repository has no default branch", hint=_SET_BRANCH, code="no_default_branch")
        return head
    name = revision.removeprefix(HEADS)
    if refs.branch(name) is not None:
        return name
    raise _no_branch(revision, refs)


def _no_branch(revision: str, refs: RemoteRefs) -> PlanError:
    shown = repr(revision[:120])
    if revision.startswith(TAGS) or TAGS + revision in refs.refs:
        return PlanError(f"the revision {shown} is a tag, not a branch", hint=_SET_BRANCH, code="revision_is_tag")
    if _COMMIT.fullmatch(revision):
        return PlanError(f"the revision {shown} is a commit, not a branch", hint=_SET_BRANCH, code="revision_is_commit")
    return PlanError(f"the repository has no branch {shown}", hint=_SET_BRANCH, code="branch_not_found")


def resolve_branches(target: GitTarget, refs: RemoteRefs) -> Branches:
    """Base and push branch of a batch; raises ``PlanError`` as ``resolve_base_branch``."""
    base = resolve_base_branch(target.revision, refs)
    base_commit = refs.branch(base)
    if base_commit is None:
        raise PlanError("the repository has no default branch", hint=_SET_BRANCH, code="no_default_branch")
    push = target.write_branch or base
    return Branches(base, push, base_commit, refs.branch(push))
