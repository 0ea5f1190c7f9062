"""From what an owner wrote and what the remote has to branches (``write-back.md`` 3.3 and 3.4). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from updater.manifests.branches import resolve_base_branch
from updater.model.git_targets import GitTarget
from updater.ports.git import HEADS, TAGS, RemoteRefs


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


def resolve_branches(target: GitTarget, refs: RemoteRefs) -> Branches:
    """Base and push branch of a batch; raises ``PlanError`` as ``resolve_base_branch`` does."""
    base = resolve_base_branch(target.revision, refs.refs, refs.head)
    push = target.write_branch or base
    return Branches(base, push, refs.refs[HEADS + base], refs.branch(push))
