"""The address of a Git repository: parsed once, admitted or refused, comparable.

Grammar and normalisation: ``write-back.md`` 3.2 (admission) and 4.3 (the key). Two spellings of one repository have one
key; scheme, user and port stay significant. The key is in lower case, because credentials are matched so; what is
written to is told apart by the place, because servers may hold ``Deploy`` beside ``deploy``. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, unquote, urlsplit

from updater.model.git_address_paths import has_control, has_dot_segment, local_path

_SCP = re.compile(r"(?:[A-Za-z0-9._~-]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<path>[^:].*)")
_HOST = re.compile(r"[\w._-]+|[0-9a-f:.]+")
"""Names, also international ones, and addresses without their brackets. Programs on the way run commands with the host
in them (ssh's ProxyCommand), and git decodes escapes in it, so nothing else passes."""
_AUTHORITY_AND_PATH = re.compile(r"(?P<authority>(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/]*)(?P<path>/.*)?", re.DOTALL)
_TRANSPORT = re.compile(r"[^/\[]*::")
"""``ext::sh -c ...`` would be a command; in the brackets of an address there may be two colons."""
_SSH = re.compile(r"\Assh://", re.IGNORECASE)
_SHORT = re.compile(r"(?P<head>[^/:\[]*(?:\[[^/\]]*\])?):(?P<path>.*)", re.DOTALL)
_NO_UTF_8 = "\N{REPLACEMENT CHARACTER}"


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
    """One repository. ``url`` is what git gets, without credentials.

    ``key`` is what credentials and permissions are matched by, ``place`` what is written to and shown: the key with the
    letter case of the path. Equal places are one repository; of equal keys that is so on most servers, but not on all.
    ``port`` is None where the scheme's own is meant; ``path`` has neither a leading slash nor ``.git``.
    """

    url: str
    key: str
    place: str
    scheme: GitScheme
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        return self.place

    @property
    def is_http(self) -> bool:
        return self.scheme in (GitScheme.HTTP, GitScheme.HTTPS)


def normalise_git_url(text: str) -> str:
    """The key of a URL or of a prefix of one (``write-back.md`` 4.3); a path on this machine keeps its letter case."""
    text = text.strip()
    path = local_path(text)
    return _spelled(text.lower()) if path is None else path


def authority_and_path(normalised: str) -> tuple[str, str]:
    """The two parts of a key or place: scheme, user, host and port, and the path with its leading slash or nothing."""
    match = _AUTHORITY_AND_PATH.fullmatch(normalised)
    return (match["authority"], match["path"] or "") if match else (normalised, "")


def _place(url: str) -> str:
    path = local_path(url)
    if path is not None:
        return path
    authority, path = authority_and_path(_spelled(url))
    return f"{authority.lower()}{path}"


def _spelled(url: str) -> str:
    """One spelling for an address of SSH and its short form, with and without ``.git``."""
    short = _SHORT.fullmatch(url) if "://" not in url else None
    if short is not None:
        url = f"{short['head']}/{short['path'].lstrip('/')}"
    return _SSH.sub("", url, count=1).rstrip("/").removesuffix(".git")


def parse_git_remote(text: str) -> GitRemote:
    """Parse what an owner wrote; raises ``IllegalGitRemote``.

    A user name and password inside an HTTP URL, and a password inside one of SSH, are left out of ``url``: credentials
    come from elsewhere.
    """
    url = text.strip()
    if not url or not url.isprintable() or url.startswith("-") or set(" \\") & set(url) or _TRANSPORT.match(url):
        raise IllegalGitRemote("the address is empty, begins with a dash, or holds characters that no address has")
    if url.startswith("/"):
        return _remote(url, GitScheme.LOCAL, url)
    if "://" in url:
        return _parse_url(url)
    match = _SCP.fullmatch(url)
    if match is None or match["path"].startswith("-") or match["host"].startswith("-"):
        raise IllegalGitRemote("the address is neither a URL nor user@host:path")
    return _remote(url, GitScheme.SSH, match["path"], host=match["host"].strip("[]").lower())


def _parse_url(url: str) -> GitRemote:
    try:
        parts = urlsplit(url)
        scheme, port = GitScheme(parts.scheme.lower()), parts.port
    except ValueError as error:
        raise IllegalGitRemote("the address has a scheme or port that is not used for repositories") from error
    host = (parts.hostname or "").lower()
    if parts.query or parts.fragment:
        raise IllegalGitRemote("the address of a repository has neither a query nor a fragment")
    if scheme is GitScheme.LOCAL:
        if parts.netloc or not parts.path.startswith("/") or _NO_UTF_8 in unquote(parts.path):
            raise IllegalGitRemote("a file URL has three slashes and an absolute path in UTF-8")
        return _remote(parts.geturl(), scheme, parts.path)
    if not _HOST.fullmatch(host) or host.startswith("-") or (parts.username or "").startswith("-"):
        raise IllegalGitRemote("the address has no host or no path")
    bare = _without_login(parts, keeps_user=scheme is GitScheme.SSH)
    return _remote(bare, scheme, parts.path, host=host, port=port)


def _remote(url: str, scheme: GitScheme, path: str, *, host: str = "", port: int | None = None) -> GitRemote:
    if not _clean(path):
        raise IllegalGitRemote("the address has no host or no path")
    if has_dot_segment(path):
        raise IllegalGitRemote("the path of the address holds . or .., so that it leads elsewhere than it says")
    if has_control(path):
        raise IllegalGitRemote("the path of the address holds encoded control characters")
    return GitRemote(url, normalise_git_url(url), _place(url), scheme, host, port, _clean(path))


def _without_login(parts: SplitResult, *, keeps_user: bool) -> str:
    login, at, place = parts.netloc.rpartition("@")
    user = f"{login.partition(':')[0]}{at}" if keeps_user else ""
    return parts._replace(netloc=f"{user}{place}").geturl()


def _clean(path: str) -> str:
    return path.strip("/").removesuffix(".git")
