"""The certificate that a server shows, to be trusted as it is: for native gRPC without verification.

gRPC's library cannot skip verification. To trust whatever certificate is presented at the moment amounts to the same
for somebody who asked for no verification.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from cryptography import x509

from updater.argocd.address import ServerAddress
from updater.transport.errors import TransportError, TransportFailure, transport_error
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions, ssl_context

TLS_PORT = 443


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """``pem`` is the server's own certificate, without its chain; ``name`` is one that it is valid for."""

    pem: bytes
    name: str


def fetch_certificate(
    address: ServerAddress, tls: TlsOptions, proxies: ProxyOptions, timeout_s: float
) -> PresentedCertificate:
    """One handshake, through the same proxy as the channel. Raises ``TransportError`` or ``ConfigurationError``.

    ``timeout_s`` holds for each step on the way.
    """
    context = ssl_context(tls)
    # A server for gRPC alone may refuse whoever does not offer it.
    context.set_alpn_protocols(["h2", "http/1.1"])
    connection = _connection(address, proxies.proxy_for(f"https://{address.target}"), context, timeout_s)
    try:
        connection.connect()
        secure = connection.sock
        encoded = secure.getpeercert(binary_form=True) if isinstance(secure, ssl.SSLSocket) else None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise _failure(error, is_connected=connection.sock is not None) from error
    finally:
        connection.close()
    if not encoded:
        raise transport_error(ssl.SSLError("the server shows no certificate"))
    return presented(encoded, address.host)


def presented(encoded: bytes, host: str) -> PresentedCertificate:
    """The certificate of a DER text. Raises ``TransportError`` when it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(encoded)
        names = _names(certificate)
    except ValueError as error:
        raise transport_error(ssl.SSLError(f"its certificate cannot be read: {error}")) from error
    name = host if not names or any(_holds(each, host) for each in names) else names[0]
    return PresentedCertificate(ssl.DER_cert_to_PEM_cert(encoded).encode("ascii"), name)


def _connection(
    address: ServerAddress, proxy: str, context: ssl.SSLContext, timeout_s: float
) -> http.client.HTTPSConnection:
    port = address.port or TLS_PORT
    if not proxy:
        return http.client.HTTPSConnection(address.host, port, timeout=timeout_s, context=context)
    parts = urlsplit(proxy)
    through = http.client.HTTPSConnection(parts.hostname or "", parts.port or 80, timeout=timeout_s, context=context)
    through.set_tunnel(address.host, port, _proxy_headers(parts.username, parts.password))
    return through


def _failure(error: Exception, *, is_connected: bool) -> TransportError:
    failure = transport_error(error)
    if not is_connected and failure.kind in (TransportFailure.RESET, TransportFailure.TIMEOUT):
        return TransportError(TransportFailure.CONNECT, failure.detail or "timed out")
    return failure


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    login = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(login).decode('ascii')}"}


def _names(certificate: x509.Certificate) -> list[str]:
    """Host names first, then addresses; the common name where there are no others."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    hosts = alternatives.get_values_for_type(x509.DNSName)
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return [*hosts, *(str(each) for each in addresses)]


def _holds(name: str, host: str) -> bool:
    """Whether a name of a certificate is that of the host, or a wildcard for it."""
    if name.lower() == host.lower():
        return True
    if _is_address(host):
        return False
    first, _, rest = host.partition(".")
    return bool(first) and name.lower() == f"*.{rest.lower()}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
