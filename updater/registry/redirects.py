"""Where a registry may send us: storage and mirrors, under rules that keep credentials and the inside network safe.

Rules: ``registries.md`` 3.10. The target is untrusted input; its query may be a signature, so it is never shown.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from updater.errors import RegistryProtocolError
from updater.registry.realms import is_host, is_inside_address

MAX_HOPS = 5


def redirect_target(url: str, location: str, api_url: str) -> str:
    """The absolute URL that ``location`` in an answer from ``url`` names.

    Raises ``RegistryProtocolError`` with code ``bad_redirect`` for one that must not be asked.
    """
    try:
        target = urljoin(url, location)
        parts, api = urlsplit(target), urlsplit(api_url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise _bad_redirect("it is not a URL") from error
    if not is_host(host) or not target.isascii() or any(character <= " " for character in target):
        raise _bad_redirect("it is not an absolute URL")
    if parts.scheme not in {"http", "https"} or (url.startswith("https:") and parts.scheme != "https"):
        raise _bad_redirect("its scheme is not https")
    if "@" in parts.netloc:
        raise _bad_redirect("it names a user")
    if host != api.hostname and is_inside_address(host):
        raise _bad_redirect("it is an address of a private network")
    return target.partition("#")[0]


def _bad_redirect(reason: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the registry redirects to a place that must not be asked: {reason}",
        hint="set api_url to the address that serves /v2/",
        code="bad_redirect",
    )
