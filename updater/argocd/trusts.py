"""What a native channel is made with, and keeps for its life: whom it trusts, by which name, and who we are."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from updater.argocd.address import ServerAddress
from updater.argocd.certificates import fetch_certificate
from updater.errors import ConfigurationError
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

FETCH_TIMEOUT_S = 10.0
"""For each step of a handshake of our own."""


@dataclass(frozen=True, slots=True)
class ChannelTrust:
    """``roots`` as PEM, None for the library's own store; ``name`` is expected instead of the address's, if not empty.

    ``key`` and ``certificate`` are ours, both or none.
    """

    roots: bytes | None = field(repr=False)
    name: str = ""
    key: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)


def load_trust(tls: TlsOptions) -> ChannelTrust:
    """What the files say: the platform's trust store with the CA file. Raises ``ConfigurationError``."""
    platform = ssl.get_default_verify_paths().cafile
    roots = Path(platform).read_bytes() if platform else b""
    both = (roots + b"\n" + _read(tls.ca_file) if tls.ca_file else roots) or None
    return ChannelTrust(both, "", *_ours(tls))


def fetch_trust(address: ServerAddress, tls: TlsOptions, proxies: ProxyOptions) -> ChannelTrust:
    """What the server shows, whatever it is. Raises ``TransportError`` or ``ConfigurationError``."""
    shown = fetch_certificate(address, tls, proxies, FETCH_TIMEOUT_S)
    return ChannelTrust(shown.pem, shown.name, *_ours(tls))


def _ours(tls: TlsOptions) -> tuple[bytes | None, bytes | None]:
    return (_read(tls.client_key), _read(tls.client_cert)) if tls.client_cert else (None, None)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read: {error.strerror}",
            where=path,
            hint="name a readable PEM file",
            code="tls_invalid",
        ) from error
