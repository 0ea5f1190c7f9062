"""The address of a Git repository: parsed once, admitted or refused, comparable.

Grammar and normalisation: ``write-back.md`` 3.2 (admission) and 4.3 (the key). Two spellings of one repository have one
key; scheme, user and port stay significant. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, urlsplit

_SCP = re.compile(r"(?:[A-Za-z0-9._~-]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<path>[^:].*)")
_HOST = re.compile(r"[\w._-]+|[0-9a-f:.]+")
"""Names, also international ones, and addresses without their brackets. Programs on the way run commands with the host
in them (ssh's ProxyCommand), and git decodes escapes in it, so nothing else passes."""
_AUTHORITY_AND_PATH = re.compile(r"(?P<authority>(?:[a-z][a-z0-9+.-]*://)?[^/]*)(?P<path>/.*)?", re.DOTALL)


class GitScheme(Enum):
    """How a remote is spoken to."""

    HTTPS = "https"
    HTTP = "http"
    SSH = "ssh"
    LOCAL = "file"


class IllegalGitRemote(ValueError):
    """A text that is no address this program would hand to git; the reason holds no credentials."""


@dataclass(frozen=True, slots=True)
class GitRemote:
    """One repository. ``url`` is what git gets, without credentials; ``key`` is equal for equal repositories.

    ``port`` is None where the scheme's own is meant; ``path`` has neither a leading slash nor ``.git``.
    """

    url: str
    key: str
    scheme: GitScheme
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        return self.key

    @property
    def is_http(self) -> bool:
        return self.scheme in (GitScheme.HTTP, GitScheme.HTTPS)


def normalise_git_url(text: str) -> str:
    """The key of a URL or of a prefix of one (``write-back.md`` 4.3)."""
    key = text.strip().lower()
    if "://" not in key and not key.startswith("/"):
        head, colon, tail = key.partition(":")
        if colon and "/" not in head:
            key = f"{head}/{tail.lstrip('/')}"
    key = key.removeprefix("ssh://")
    return key.rstrip("/").removesuffix(".git")


def is_prefix_of(prefix: str, key: str) -> bool:
    """Whether a normalised prefix covers a normalised URL: equal authority, and the path begins with its path."""
    wanted, found = _parts(prefix), _parts(key)
    return wanted[0] == found[0] and found[1].startswith(wanted[1])


def _parts(key: str) -> tuple[str, str]:
    match = _AUTHORITY_AND_PATH.fullmatch(key)
    return (match["authority"], match["path"] or "") if match else (key, "")


def parse_git_remote(text: str) -> GitRemote:
    """Parse what an owner wrote; raises ``IllegalGitRemote``.

    A user name and password inside an HTTP URL, and a password inside one of SSH, are left out of ``url``: credentials
    come from elsewhere.
    """
    url = text.strip()
    if (
        not url
        or not url.isprintable()
        or url.startswith("-")
        or set(" \\") & set(url)
        or "::" in url.partition("/")[0]
    ):
        raise IllegalGitRemote("the address is empty, begins with a dash, or holds characters that no address has")
    if url.startswith("/"):
        return GitRemote(url, normalise_git_url(url), GitScheme.LOCAL, "", None, _clean(url))
    if "://" in url:
        return _parse_url(url)
    match = _SCP.fullmatch(url)
    if match is None or match["path"].startswith("-") or match["host"].startswith("-"):
        raise IllegalGitRemote("the address is neither a URL nor user@host:path")
    host = match["host"].strip("[]").lower()
    return GitRemote(url, normalise_git_url(url), GitScheme.SSH, host, None, _clean(match["path"]))


def _parse_url(url: str) -> GitRemote:
    try:
        parts = urlsplit(url)
        scheme, port = GitScheme(parts.scheme.lower()), parts.port
    except ValueError as error:
        raise IllegalGitRemote("the address has a scheme or port that is not used for repositories") from error
    host = (parts.hostname or "").lower()
    if scheme is GitScheme.LOCAL:
        if host or not parts.path.startswith("/"):
            raise IllegalGitRemote("a file URL has three slashes and an absolute path")
        return GitRemote(url, normalise_git_url(url), scheme, "", None, _clean(parts.path))
    if (
        not _HOST.fullmatch(host)
        or host.startswith("-")
        or (parts.username or "").startswith("-")
        or not _clean(parts.path)
    ):
        raise IllegalGitRemote("the address has no host or no path")
    if parts.query or parts.fragment:
        raise IllegalGitRemote("the address of a repository has neither a query nor a fragment")
    bare = _without_login(parts, keeps_user=scheme is GitScheme.SSH)
    return GitRemote(bare, normalise_git_url(bare), scheme, host, port, _clean(parts.path))


def _without_login(parts: SplitResult, *, keeps_user: bool) -> str:
    login, at, place = parts.netloc.rpartition("@")
    user = f"{login.partition(':')[0]}{at}" if keeps_user else ""
    return parts._replace(netloc=f"{user}{place}").geturl()


def _clean(path: str) -> str:
    return path.strip("/").removesuffix(".git")
