"""Which addresses are spoken to at all (``write-back.md`` 3.2): checked before credentials are looked for. Pure."""

from __future__ import annotations

from updater.errors import GitError
from updater.git.options import Admission
from updater.model.git_remotes import GitRemote, GitScheme


def check_admission(remote: GitRemote, admission: Admission) -> None:
    """Raises ``GitError`` ``repo_url_refused``."""
    if remote.scheme is GitScheme.HTTP and not admission.allows_http:
        raise _refused(remote, "it is not encrypted", "use https, or set --git-allow-insecure-http")
    if remote.scheme is GitScheme.LOCAL and not admission.allows_local:
        hint = "give the address of a server, or set --git-allow-local-repositories"
        raise _refused(remote, "it is a path on this machine", hint)
    if admission.prefixes and not any(prefix.covers(remote) for prefix in admission.prefixes):
        raise _refused(remote, "it is not among the allowed repositories", "see --git-allowed-repositories")


def _refused(remote: GitRemote, why: str, hint: str) -> GitError:
    what = f"this repository is not written, because {why}"
    return GitError(what, where=str(remote), hint=hint, code="repo_url_refused")
