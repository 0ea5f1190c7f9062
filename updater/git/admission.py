"""Which addresses are spoken to at all (``write-back.md`` 3.2): checked before credentials are looked for. Pure."""

from __future__ import annotations

from updater.errors import GitError
from updater.git.options import Admission
from updater.model.git_remotes import GitRemote, GitScheme, is_prefix_of, normalise_git_url


def check_admission(remote: GitRemote, admission: Admission) -> None:
    """Raises ``GitError`` ``repo_url_refused``."""
    if remote.scheme is GitScheme.HTTP and not admission.allows_http:
        raise _refused(remote, "it is not encrypted", "use https, or set --git-allow-insecure-http")
    if remote.scheme is GitScheme.LOCAL and not admission.allows_local:
        raise _refused(remote, "it is a path on this machine", "give the address of a server")
    prefixes = [normalise_git_url(prefix) for prefix in admission.prefixes]
    if prefixes and not any(is_prefix_of(prefix, remote.key) for prefix in prefixes):
        raise _refused(remote, "it is not among the allowed repositories", "see --git-allowed-repositories")


def _refused(remote: GitRemote, why: str, hint: str) -> GitError:
    what = f"this repository is not written, because {why}"
    return GitError(what, where=str(remote), hint=hint, code="repo_url_refused")
