"""The part of an examination that asks Git remotes: those that Applications are written to, with their credentials.

Refs are listed and nothing is fetched or pushed, so that the right to push stays untested.
"""

from __future__ import annotations

from collections.abc import Iterable

from updater.clock import Deadline, SystemClock
from updater.errors import GitError, PlanError
from updater.model.applications import ApplicationSnapshot
from updater.model.findings import Seen, Verdict
from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget
from updater.planning.git_settings import read_git_settings
from updater.planning.overrides import written_names
from updater.planning.plans import ApplicationPlan, PlanOptions, plan_application
from updater.planning.sources import select_source
from updater.planning.write_back import Method
from updater.ports.git import GitRemotes

MAX_REMOTES = 50
"""Remotes that are asked; more are said to be left out."""

_TIMEOUT_S = 60.0

WrittenTarget = tuple[GitTarget, str]
"""A target, and the namespace of the first Application that is written to it."""


def written_targets(snapshots: Iterable[ApplicationSnapshot], options: PlanOptions) -> tuple[WrittenTarget, ...]:
    """One target for each remote, credentials and base branch; Applications with mistakes of their own have none."""
    found: dict[tuple[str, str, str], WrittenTarget] = {}
    for snapshot in snapshots:
        plan = plan_application(snapshot, options)
        target = _target(snapshot, plan, options)
        if target is not None:
            key = (target.remote.place, target.credentials, target.revision)
            found.setdefault(key, (target, snapshot.key.namespace))
    return tuple(found.values())


def _target(snapshot: ApplicationSnapshot, plan: ApplicationPlan, options: PlanOptions) -> GitTarget | None:
    method, choice = plan.write_back, plan.choice
    if plan.skip is not None or plan.problem or choice is None or method is None or method.method is not Method.GIT:
        return None
    try:
        names = frozenset[str]().union(*map(written_names, plan.images))
        index = select_source(snapshot, choice, names)
        settings = read_git_settings(snapshot, plan.write_back_texts, method, index, options.git)
    except PlanError:
        # An owner's mistake: 'plan' says it with the Application's name, and it is not about the connection.
        return None
    return settings.target(write_branch="", project=snapshot.project)


def examine_remote(remotes: GitRemotes, written: WrittenTarget, clock: SystemClock) -> Seen:
    """Whether the remote lists its refs to these credentials, and has the branch. Raises ``GitError``."""
    target, namespace = written
    branches = [target.revision] if target.revision else []
    with remotes.open(target, namespace, Deadline.after(clock, _TIMEOUT_S)) as session:
        refs = session.fetch_refs(branches)
    is_looked_up = target.credentials == REPOSITORY_CREDENTIALS
    accepted = "the credentials that match its address" if is_looked_up else target.credentials
    if not target.revision:
        return Seen(f"accepts {accepted}; the default branch is {refs.head or 'not set'}")
    if refs.branch(target.revision) is None:
        raise GitError(
            f"there is no branch {target.revision}",
            where=str(target.remote),
            hint="see git-branch, or the target revision of the source",
            code="branch_not_found",
        )
    return Seen(f"accepts {accepted}; branch {target.revision} is there")


def left_out(count: int) -> Seen:
    """What to say of remotes beyond the limit."""
    return Seen(f"{count} more remotes are not asked", Verdict.NOTED)
