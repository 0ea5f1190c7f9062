"""Where the git method writes: repository, base, write branch, credentials and file of one Application.

Source: ``write-back.md`` 1.2 to 1.5. What needs the remote (its default branch, whether a revision is a branch) or the
changes (the name of the write branch) is left open here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from updater.errors import PlanError
from updater.model.applications import ApplicationSnapshot, SourceSnapshot
from updater.model.git_remotes import GitRemote, IllegalGitRemote, normalise_git_url, parse_git_remote
from updater.model.git_targets import REPOSITORY_CREDENTIALS, GitTarget, TargetFile
from updater.model.pull_requests import PullRequestSettings
from updater.planning import annotation_keys as keys
from updater.planning.git_branch import GitBranch, parse_git_branch, short_branch
from updater.planning.pull_requests import head_template, read_pull_request
from updater.planning.write_back import WriteBackMethod
from updater.planning.write_back_target import TargetPlace, instance_name, parse_target, resolve_target

_ANY_NAMESPACE = "*"
DEFAULT_CONTROL_NAMESPACE = "argocd"
_OCI = "oci://"


class RevisionOrigin(Enum):
    """Where the base comes from, for messages."""

    ANNOTATION = "annotation"
    TARGET_REVISION = "target_revision"
    DEFAULT_BRANCH = "default_branch"


@dataclass(frozen=True, slots=True)
class GitScope:
    """What the operator allows. ``secret_namespaces``: beside the Application's own; ``*`` is any.

    ``control_namespace`` is that of Argo CD, which names override files; empty is what the Application's status says.
    """

    control_namespace: str = DEFAULT_CONTROL_NAMESPACE
    secret_namespaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GitSettings:
    """One target, before its write branch is rendered.

    ``revision`` is empty for the remote's default branch; ``branch_template`` when the base itself is written, never
    with ``pull_request``; ``path`` is that of a directory for a kustomization, else of a file.
    """

    remote: GitRemote
    credentials: str
    revision: str
    origin: RevisionOrigin
    branch_template: str
    file: TargetFile
    path: str
    pull_request: PullRequestSettings | None = None

    def target(self, *, write_branch: str, project: str) -> GitTarget:
        """The target with its rendered write branch, empty for the base."""
        return GitTarget(
            remote=self.remote,
            path=self.path,
            file=self.file,
            credentials=self.credentials,
            revision=self.revision,
            write_branch=write_branch,
            project=project,
            pull_request=self.pull_request,
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository, the revision of the source that names it, and the paths that targets are relative to."""

    url: str
    revision: str
    path: str
    values_path: str = ""


def read_git_settings(
    snapshot: ApplicationSnapshot,
    own: Mapping[str, str],
    method: WriteBackMethod,
    source_index: int,
    scope: GitScope,
) -> GitSettings:
    """The target of one Application.

    own: settings by the names of their annotations. source_index: the selected source. Raises ``PlanError`` with a
    code of ``write-back.md`` 7.1, section "parsing" or "path".
    """
    credentials = _credentials(snapshot, method, scope)
    target = parse_target(own)
    branch = parse_git_branch(own.get(keys.GIT_BRANCH, ""))
    place = _place(snapshot, snapshot.sources[source_index], own.get(keys.GIT_REPOSITORY, "").strip())
    if is_chart(snapshot.sources[source_index]) and target.file is TargetFile.SOURCE_OVERRIDE:
        text = "an override file beside a chart is never read"
        hint = "name a values file: write-back-target helmvalues:<file>"
        raise PlanError(text, where=str(snapshot.key), hint=hint, code="target_required")
    control_namespace = scope.control_namespace or snapshot.controller_namespace or DEFAULT_CONTROL_NAMESPACE
    instance = instance_name(snapshot.key, control_namespace)
    path = resolve_target(target, TargetPlace(place.path, instance, place.values_path))
    revision, origin = _revision(branch, place)
    remote = _remote(place.url, snapshot)
    pull_request = read_pull_request(own, remote, branch.template)
    return GitSettings(
        remote=remote,
        credentials=credentials,
        revision=revision,
        origin=origin,
        branch_template=head_template(pull_request, branch.template),
        file=target.file,
        path=path,
        pull_request=pull_request,
    )


def _credentials(snapshot: ApplicationSnapshot, method: WriteBackMethod, scope: GitScope) -> str:
    if method.secret is None:
        return REPOSITORY_CREDENTIALS
    own = snapshot.key.namespace
    namespace, name = method.secret[0] or own, method.secret[1]
    if namespace != own and not scope.secret_namespaces & {namespace, _ANY_NAMESPACE}:
        raise PlanError(
            f"write-back-method names a secret in the namespace {namespace[:80]!r}, which is not the Application's",
            where=str(snapshot.key),
            hint="move the secret, or let the operator allow it with --git-secret-namespaces",
            code="secret_namespace_denied",
        )
    return f"secret:{namespace}/{name}"


def _revision(branch: GitBranch, place: _Place) -> tuple[str, RevisionOrigin]:
    if branch.base:
        return branch.base, RevisionOrigin.ANNOTATION
    revision = short_branch(place.revision)
    if revision in ("", "HEAD"):
        return "", RevisionOrigin.DEFAULT_BRANCH
    return revision, RevisionOrigin.TARGET_REVISION


def _remote(url: str, snapshot: ApplicationSnapshot) -> GitRemote:
    try:
        return parse_git_remote(url)
    except IllegalGitRemote as error:
        hint = "write an https or ssh URL, or user@host:path"
        raise PlanError(str(error), where=str(snapshot.key), hint=hint, code="repo_url_refused") from error


def _place(snapshot: ApplicationSnapshot, source: SourceSnapshot, repository: str) -> _Place:
    if repository:
        return _Place(repository, _revision_of(snapshot, repository), source.path)
    if not is_chart(source):
        return _Place(source.repo_url, source.target_revision, source.path)
    return _referenced_place(snapshot, source)


def _revision_of(snapshot: ApplicationSnapshot, repository: str) -> str:
    """The revision of the first source with that repository; another repository has its own default branch."""
    key = normalise_git_url(repository)
    same = (one for one in snapshot.sources if not is_chart(one) and normalise_git_url(one.repo_url) == key)
    source = next(same, None)
    return "" if source is None else source.target_revision


def is_chart(source: SourceSnapshot) -> bool:
    """Whether the source comes from a chart repository or an OCI registry, where nothing can be committed."""
    url = source.repo_url.strip()
    if source.chart or url.lower().startswith(_OCI):
        return True
    is_scp = ":" in url.partition("/")[0]
    return "://" not in url and not is_scp and not url.startswith("/")


def _referenced_place(snapshot: ApplicationSnapshot, source: SourceSnapshot) -> _Place:
    """The repository that holds the values files of a chart, when they all name one reference."""
    files = [path[1:].partition("/") for path in source.value_files if path.startswith("$")]
    names = {name for name, _, _ in files}
    referenced = next((one for one in snapshot.sources if one.ref and names == {one.ref}), None)
    if referenced is None or is_chart(referenced):
        raise PlanError(
            "the source is a chart, and its values files do not tell one Git repository",
            where=str(snapshot.key),
            hint="name the repository with the annotation git-repository",
            code="repo_not_git",
        )
    return _Place(referenced.repo_url, referenced.target_revision, "", files[-1][2])
