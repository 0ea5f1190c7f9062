"""From the address of a repository to its place in a forge's API (``write-back.md`` 6.5). Pure.

The API stands on the repository's own host or on the one that belongs to it, unless the operator gave its URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from updater.errors import ConfigurationError, ForgeError
from updater.model.git_remotes import GitRemote, GitScheme
from updater.model.pull_requests import ForgeProvider

_ROOTS = {
    ForgeProvider.GITHUB: "/api/v3",
    ForgeProvider.GITLAB: "/api/v4",
    ForgeProvider.GITEA: "/api/v1",
    ForgeProvider.FORGEJO: "/api/v1",
    ForgeProvider.BITBUCKET: "/2.0",
    ForgeProvider.BITBUCKET_SERVER: "/rest/api/1.0",
    ForgeProvider.AZURE_DEVOPS: "",
}
"""Where each API begins on a host of one's own; before it stands the context path, if there is one."""

_HOSTED = {
    ForgeProvider.GITHUB: ("https://api.github.com", ("github.com", "ssh.github.com")),
    ForgeProvider.GITLAB: ("https://gitlab.com/api/v4", ("gitlab.com", "altssh.gitlab.com")),
    ForgeProvider.BITBUCKET: ("https://api.bitbucket.org/2.0", ("bitbucket.org", "altssh.bitbucket.org")),
    ForgeProvider.AZURE_DEVOPS: (
        "https://dev.azure.com",
        ("dev.azure.com", "ssh.dev.azure.com", "vs-ssh.visualstudio.com"),
    ),
}
_DATA_RESIDENCY = ".ghe.com"
_VISUAL_STUDIO = ".visualstudio.com"
_PROVIDERS = {provider.value: provider for provider in ForgeProvider}


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """The operator's word on where an API is; ``host`` empty means every host that has none of its own."""

    provider: ForgeProvider
    host: str
    url: str


@dataclass(frozen=True, slots=True)
class ForgePlace:
    """A repository inside an API. All texts are plain, nothing is percent-encoded but ``api``.

    ``owner`` is an account, a group path, a workspace, a project key or an organisation; ``project`` is only Azure's.
    """

    api: str
    owner: str
    name: str
    project: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.owner, self.project, self.name) if part)

    @property
    def host(self) -> str:
        """The host of the API."""
        return urlsplit(self.api).hostname or ""


def parse_api_url(text: str, *, allows_http: bool = False) -> ApiUrl:
    """Parse ``provider[@host]=URL``; raises ``ConfigurationError``."""
    name, _, url = text.strip().partition("=")
    word, _, host = name.strip().partition("@")
    if word not in _PROVIDERS or not _is_api_url(url.strip(), allows_http=allows_http):
        # The text itself is not shown, because people leave passwords in URLs.
        raise ConfigurationError(
            "an API address is not understood",
            where="--pull-request-api-url",
            hint="write <provider>=<https URL> or <provider>@<host>=<https URL>, without a user, query or fragment",
        )
    return ApiUrl(_PROVIDERS[word], host.strip().lower(), url.strip().rstrip("/"))


def _is_api_url(url: str, *, allows_http: bool) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_clean = not (parts.query or parts.fragment or parts.username or parts.password)
    return has_host and is_clean and parts.scheme in (("https", "http") if allows_http else ("https",))


def find_place(provider: ForgeProvider, remote: GitRemote, urls: Sequence[ApiUrl] = ()) -> ForgePlace:
    """The place of a repository; raises ``ForgeError`` ``pr_config_invalid``."""
    explicit = _explicit(provider, remote.host, urls)
    api = explicit or _derived(provider, remote)
    context = _context(provider, explicit, remote)
    segments = [_plain(part, remote) for part in remote.path.split("/") if part]
    if context and segments[: len(context)] == context:
        segments = segments[len(context) :]
    return _identified(provider, remote, api, segments)


def _explicit(provider: ForgeProvider, host: str, urls: Sequence[ApiUrl]) -> str:
    fitting = [each for each in urls if each.provider is provider and each.host in ("", host)]
    return max(fitting, key=lambda each: len(each.host)).url if fitting else ""


def _derived(provider: ForgeProvider, remote: GitRemote) -> str:
    hosted, hosts = _HOSTED.get(provider, ("", ()))
    if remote.host in hosts:
        return hosted
    if provider is ForgeProvider.AZURE_DEVOPS and remote.host.endswith(_VISUAL_STUDIO):
        return hosted
    if provider is ForgeProvider.GITHUB and remote.host.endswith(_DATA_RESIDENCY):
        return f"https://api.{remote.host}"
    if provider is ForgeProvider.BITBUCKET:
        # The cloud has one address; the token of another host is none of its business.
        raise _invalid(remote, "it is not on bitbucket.org", "for a server of your own write bitbucket-server")
    if not remote.host:
        raise _invalid(remote, "it is on no host", "give the address of a server, or see --pull-request-api-url")
    return f"{_server(remote)}{_ROOTS[provider]}"


def _server(remote: GitRemote) -> str:
    """The web server beside a repository: the same one for HTTP, the standard port of the host for SSH."""
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    if not remote.is_http:
        return f"https://{host}"
    port = "" if remote.port is None else f":{remote.port}"
    scheme = "http" if remote.scheme is GitScheme.HTTP else "https"
    return f"{scheme}://{host}{port}"


def _context(provider: ForgeProvider, explicit: str, remote: GitRemote) -> list[str]:
    """The path that the server's pages stand below, which is no part of a repository's name; SSH has none."""
    if not explicit or not remote.is_http:
        return []
    path = urlsplit(explicit).path.rstrip("/").removesuffix(_ROOTS[provider])
    return [unquote(part) for part in path.split("/") if part]


def _plain(segment: str, remote: GitRemote) -> str:
    return unquote(segment) if remote.is_http else segment


def _identified(provider: ForgeProvider, remote: GitRemote, api: str, segments: list[str]) -> ForgePlace:
    match provider:
        case ForgeProvider.GITLAB if len(segments) >= 2:
            return ForgePlace(api, "/".join(segments[:-1]), segments[-1])
        case ForgeProvider.AZURE_DEVOPS:
            return _azure(remote, api, segments)
        case ForgeProvider.BITBUCKET_SERVER if len(segments) >= 2:
            is_page = remote.is_http and len(segments) > 2 and segments[0] == "scm"
            owner, name, *rest = segments[1:] if is_page else segments
            if not rest:
                return ForgePlace(api, owner, name)
        case ForgeProvider.GITHUB if len(segments) >= 2:
            return ForgePlace(api, segments[0], segments[1])
        case _ if len(segments) == 2 and provider is not ForgeProvider.GITLAB:
            return ForgePlace(api, segments[0], segments[1])
    hint = "a server below a path of its host needs --pull-request-api-url"
    raise _invalid(remote, f"its path is none of a repository on {provider.value}", hint)


def _azure(remote: GitRemote, api: str, segments: list[str]) -> ForgePlace:
    """``ORG/P/_git/R``, ``ORG/_git/R`` for a project of the same name, ``v3/ORG/P/R`` over SSH, and the old hosts."""
    if not remote.is_http and len(segments) == 4 and segments[0] == "v3":
        return ForgePlace(api, segments[1], segments[3], segments[2])
    host = remote.host
    is_old = host.endswith(_VISUAL_STUDIO) and remote.is_http
    before = [host.removesuffix(_VISUAL_STUDIO)] if is_old else []
    if is_old and segments[:1] == ["DefaultCollection"]:
        segments = segments[1:]
    found = before + segments
    if len(found) >= 3 and found[-2] == "_git":
        *owners, project = found[:-2] if len(found) > 3 else (found[0], found[-1])
        return ForgePlace(api, "/".join(owners), found[-1], project)
    raise _invalid(
        remote, "its path is none of a repository on azuredevops", "write <organisation>/<project>/_git/<name>"
    )


def _invalid(remote: GitRemote, why: str, hint: str = "") -> ForgeError:
    text = f"no place for pull requests follows from this address: {why}"
    return ForgeError(text, where=str(remote), hint=hint, code="pr_config_invalid")


def encoded(text: str, *, keeps_slashes: bool = False) -> str:
    """A name as part of a URL's path."""
    return quote(text, safe="/~" if keeps_slashes else "~")
