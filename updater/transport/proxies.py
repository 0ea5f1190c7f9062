"""Which proxy a URL goes through: ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, read once.

The usual rules: lower-case names win, ``NO_PROXY`` holds host suffixes, addresses, CIDR blocks, ``host:port``, ``*``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Proxies by scheme and the hosts that go without one. A proxy URL may hold credentials: never shown."""

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ProxyOptions:
        """The proxies that an environment names."""

        def read(name: str) -> str:
            return environment.get(name.lower(), "") or environment.get(name, "")

        everything = read("ALL_PROXY")
        hosts = tuple(host.strip().lower() for host in read("NO_PROXY").split(",") if host.strip())
        return cls(read("HTTP_PROXY") or everything, read("HTTPS_PROXY") or everything, hosts)

    def proxy_for(self, url: str) -> str:
        """The proxy URL for a request, empty for a direct connection."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if not proxy or not parts.hostname or self._bypasses(parts.hostname, port):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"

    def _bypasses(self, host: str, port: int) -> bool:
        return any(_matches(pattern, host, port) for pattern in self.no_proxy)


def _matches(pattern: str, host: str, port: int) -> bool:
    if pattern == "*":
        return True
    address = _address(host)
    if address is not None:
        return _in_block(pattern, address) or pattern.strip("[]") == host or pattern == f"{host}:{port}"
    name, _, wanted_port = pattern.partition(":")
    if wanted_port and wanted_port != str(port):
        return False
    name = name.lstrip("*").lstrip(".")
    return host == name or host.endswith(f".{name}")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _in_block(pattern: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except (ValueError, TypeError):
        return False
