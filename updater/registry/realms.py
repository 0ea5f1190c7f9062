"""Which token services may be asked: the realm comes from the network and decides where credentials are sent.

Rules: ``registries.md`` 3.3. Other hosts than the registry's are normal (Docker Hub, GitLab); plain http, user info and
literal addresses of the inside are not.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from updater.errors import RegistryProtocolError


def check_realm(realm: str, api_url: str) -> None:
    """Raise ``RegistryProtocolError`` with code ``bad_realm`` for a realm that must not be asked."""
    try:
        parts, api = urlsplit(realm), urlsplit(api_url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise _bad_realm("it is not a URL") from error
    if not host or not realm.isascii() or any(character <= " " for character in realm):
        raise _bad_realm("it is not an absolute URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and api.scheme == "http"):
        raise _bad_realm("its scheme is not https")
    if "@" in parts.netloc:
        raise _bad_realm("it names a user")
    if host != api.hostname and is_inside_address(host):
        raise _bad_realm("it is an address of a private network")


def is_inside_address(host: str) -> bool:
    """Whether the host is a literal address that is not public, in whatever notation a resolver takes."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # "127.1", "2130706433" and "0x7f.1" are addresses to the system's resolver.
        last = host.rstrip(".").rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")
    return not address.is_global or address.is_multicast


def _bad_realm(reason: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the token service that the registry names must not be asked: {reason}",
        hint="correct the realm in the registry's configuration",
        code="bad_realm",
    )
