"""Where in Git a change set goes: repository, branches, file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from updater.model.git_remotes import GitRemote
from updater.model.pull_requests import PullRequestSettings

REPOSITORY_CREDENTIALS = "repocreds"
"""The reference for whatever Argo CD or the operator knows about a URL; else ``secret:<namespace>/<name>``."""


class TargetFile(Enum):
    """The kinds of file of ``write-back.md`` 1.3."""

    SOURCE_OVERRIDE = "argocd-source"
    PARAMETERS = "params-file"
    KUSTOMIZATION = "kustomization"
    HELM_VALUES = "helmvalues"


@dataclass(frozen=True, slots=True)
class GitTarget:
    """One target, resolved as far as that is possible without the repository.

    ``credentials`` is a reference with its namespace filled in. ``revision`` is the base as it was written, empty for
    the remote's default branch; ``write_branch`` the rendered and cleaned push branch, empty for the base branch.
    ``path`` is normalised and relative to the root of the repository: of a directory for a kustomization, else of a
    file. ``project`` is the AppProject, which chooses among Argo CD's repository secrets.
    With ``pull_request`` the write branch is the head of a request to take it over into the base.
    """

    remote: GitRemote
    path: str
    file: TargetFile = TargetFile.SOURCE_OVERRIDE
    credentials: str = REPOSITORY_CREDENTIALS
    revision: str = ""
    write_branch: str = ""
    project: str = ""
    pull_request: PullRequestSettings | None = None
