"""The beginning of addresses: what the operator allows, and what credentials are for (``write-back.md`` 4.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from updater.model.git_address_paths import has_dot_segment
from updater.model.git_remotes import GitRemote, IllegalGitRemote, authority_and_path, normalise_git_url

_WHOLE = ("/", ".git")


@dataclass(frozen=True, slots=True)
class GitPrefix:
    """``authority`` is scheme, user, host and port, empty for this machine; ``path`` empty covers all of it.

    ``is_whole``: it was written as a folder or as one repository, so that no longer name continues it.
    """

    authority: str
    path: str
    is_whole: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it covers paths on this machine."""
        return not self.authority

    def covers(self, remote: GitRemote) -> bool:
        """Whether the address begins so: equal authority, and the path begins with this path."""
        authority, path = authority_and_path(remote.key)
        if authority != self.authority or not path.startswith(self.path):
            return False
        return not self.is_whole or path[len(self.path) :][:1] in ("", "/")


def parse_git_prefix(text: str) -> GitPrefix:
    """Parse what an operator wrote; raises ``IllegalGitRemote`` for what no address can begin with.

    Like Argo CD's templates it may end inside a name; with ``/`` or ``.git`` at its end it does not.
    """
    key = normalise_git_url(text)
    authority, path = authority_and_path(key)
    if not text.strip():
        raise IllegalGitRemote("the beginning of an address is empty")
    if has_dot_segment(path):
        raise IllegalGitRemote("the beginning of an address holds . or .., which no address may")
    return GitPrefix(authority, path, text.strip().endswith(_WHOLE))
