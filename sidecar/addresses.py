"""Where a listener listens: the grammar of its address, and the socket bound to it."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
from dataclasses import dataclass

from updater.errors import ConfigurationError

BACKLOG = 128
"""Connections that the system holds until they are accepted: the ceiling of Linux without tuning (SOMAXCONN)."""

_SHAPE = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]/\s]*)):(?P<port>[0-9]{1,5})")
_MOST_PORT = 65_535
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` empty means all interfaces, with IPv4 and IPv6; port 0 lets the system choose."""

    host: str = ""
    port: int = 0

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, where: str) -> Address:
    """The address that ``host:port``, ``[ipv6]:port`` or ``:port`` names; ``where`` names the setting.

    Raises ``ConfigurationError`` ``bad_address``.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None or int(match["port"]) > _MOST_PORT:
        hint = "write host:port, for example 127.0.0.1:8092, [::1]:8092, or :8092 for all interfaces"
        raise ConfigurationError(f"{text!r} is not an address to listen on", where=where, hint=hint, code="bad_address")
    return Address(match["ipv6"] or match["host"], int(match["port"]))


def bind_socket(address: Address, where: str, without: str = "") -> socket.socket:
    """A listening socket; ``where`` names the setting to change, ``without`` says what to write to do without it.

    Raises ``ConfigurationError`` ``port_in_use`` when the address cannot be had, whatever the reason (``runtime.md``
    3.1), and ``bad_address`` when the host's name means nothing here.
    """
    try:
        return _bind_everywhere(address.port) if not address.host else _bind_host(address)
    except socket.gaierror as error:
        text = f"the host of {address} is not known here ({error.strerror})"
        raise ConfigurationError(text, where=where, code="bad_address") from error
    except OSError as error:
        raise _refusal(address, where, without, error) from error


def _refusal(address: Address, where: str, without: str, error: OSError) -> ConfigurationError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = {
        errno.EADDRINUSE: "something else listens there; choose another port",
        errno.EACCES: "ports below 1024 need a privilege; choose another",
    }.get(error.errno or 0, "choose another address")
    hint = f"{hint}, or {without} for none" if without else hint
    return ConfigurationError(f"cannot listen on {address}: {reason}", where=where, hint=hint, code="port_in_use")


def _bind_everywhere(port: int) -> socket.socket:
    try:
        return _listen(socket.AF_INET6, ("::", port))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return _listen(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - all interfaces are what is asked for


def _bind_host(address: Address) -> socket.socket:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = found[0]
    return _listen(family, place)


def _listen(family: int, place: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(place)
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound
