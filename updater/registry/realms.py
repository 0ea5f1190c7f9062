"""Which token services may be asked: the realm comes from the network and decides where credentials are sent.

Rules: ``registries.md`` 3.3. Other hosts than the registry's are normal (Docker Hub, GitLab); plain http, user info and
literal addresses of the inside are not.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from updater.errors import RegistryProtocolError

_HOST = re.compile(r"[A-Za-z0-9._:-]+")
"""Names and addresses, brackets taken off. The parser that makes the connection ends a host at a backslash, the one
that looks at it here does not: whatever two parsers could read differently is no host."""
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
"""NAT64 and 6to4 (RFC 6052, 8215, 3056): global by themselves, but each stands for an IPv4 address of any kind."""


def check_realm(realm: str, api_url: str) -> None:
    """Raise ``RegistryProtocolError`` with code ``bad_realm`` for a realm that must not be asked."""
    try:
        parts, api = urlsplit(realm), urlsplit(api_url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise _bad_realm("it is not a URL") from error
    if not is_host(host) or not realm.isascii() or any(character <= " " for character in realm):
        raise _bad_realm("it is not an absolute URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and api.scheme == "http"):
        raise _bad_realm("its scheme is not https")
    if "@" in parts.netloc:
        raise _bad_realm("it names a user")
    if host != api.hostname and is_inside_address(host):
        raise _bad_realm("it is an address of a private network")


def is_host(host: str) -> bool:
    """Whether a host, as split from a URL, is one that every parser of URLs reads in the same way."""
    return _HOST.fullmatch(host) is not None


def is_inside_address(host: str) -> bool:
    """Whether the host is a literal address that is not public, in whatever notation a resolver takes."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # "127.1", "2130706433" and "0x7f.1" are addresses to the system's resolver.
        last = host.rstrip(".").rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")
    return not address.is_global or address.is_multicast or any(address in block for block in _TRANSLATED)


def _bad_realm(reason: str) -> RegistryProtocolError:
    return RegistryProtocolError(
        f"the token service that the registry names must not be asked: {reason}",
        hint="correct the realm in the registry's configuration",
        code="bad_realm",
    )
