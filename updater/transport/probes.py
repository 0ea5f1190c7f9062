"""Single steps of a connection, each on its own: what a diagnosis tells apart and a client does in one go."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from updater.transport.errors import TransportError, TransportFailure, transport_error
from updater.transport.trust import TlsOptions, ssl_context

TIMEOUT_S = 10.0
"""For one step; a host that drops packets takes all of it."""

_PLAIN_TIMEOUT_S = 3.0
"""What speaks TLS says so at once; what does not may keep silent."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """``version`` as in ``TLSv1.3``; ``protocol`` is what ALPN selected, empty when it selected nothing.

    ``issuer`` and ``expires`` are of the server's certificate, empty and None where it was not verified.
    """

    version: str
    protocol: str
    issuer: str = ""
    expires: datetime | None = None


def resolve_host(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, each once. Raises ``TransportError`` (DNS)."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise transport_error(error if isinstance(error, OSError) else socket.gaierror(0, str(error))) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def try_connection(host: str, port: int) -> str:
    """The address that answered. Raises ``TransportError`` (CONNECT)."""
    with _connected(host, port) as plain:
        return str(plain.getpeername()[0])


def shake_hands(host: str, port: int, tls: TlsOptions) -> Handshake:
    """A handshake that offers HTTP/2 and HTTP/1.1. Raises ``TransportError`` (TLS), ``ConfigurationError``."""
    context = ssl_context(tls)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with _connected(host, port) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                certificate = secure.getpeercert() or {}
                protocol = secure.selected_alpn_protocol() or ""
                return Handshake(secure.version() or "", protocol, _issuer(certificate), _expiry(certificate))
        except OSError as error:
            raise transport_error(error) from error


def speaks_tls(host: str, port: int) -> bool:
    """Whether a port that is meant to speak plain HTTP answers a TLS handshake. Raises ``TransportError`` (CONNECT)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _connected(host, port) as plain:
        plain.settimeout(_PLAIN_TIMEOUT_S)
        try:
            with context.wrap_socket(plain, server_hostname=host):
                return True
        except OSError:
            # Any other end of the handshake is the answer that was asked for.
            return False


@contextlib.contextmanager
def _connected(host: str, port: int) -> Iterator[socket.socket]:
    try:
        plain = socket.create_connection((host, port), timeout=TIMEOUT_S)
    except socket.gaierror as error:
        raise transport_error(error) from error
    except OSError as error:
        raise TransportError(TransportFailure.CONNECT, error.strerror or "timed out") from error
    with plain:
        yield plain


def _issuer(certificate: Mapping[str, object]) -> str:
    names = certificate.get("issuer")
    pairs = [pair for group in names if isinstance(group, tuple) for pair in group] if isinstance(names, tuple) else []
    known = dict(pairs)
    return str(known.get("commonName") or known.get("organizationName") or "")


def _expiry(certificate: Mapping[str, object]) -> datetime | None:
    text = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None
