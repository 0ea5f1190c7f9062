"""Native gRPC channels (``argocd-api.md`` 4): TLS inputs and options for gRPC's own library.

It needs HTTP/2 end to end and a server or proxy that selects ``h2`` by ALPN (Argo CD 2.14 or newer); gRPC-Web is the
portable choice.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from updater.argocd.address import ServerAddress
from updater.argocd.webcalls import WireOptions
from updater.errors import ArgoCDUnreachable, ConfigurationError
from updater.transport.errors import transport_error
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

KEEPALIVE_MS = 30_000
"""The server counts pings more often than every ten seconds as strikes and hangs up after the third."""

_PROBE_TIMEOUT_S = 10.0


def native_channel(options: WireOptions, tls: TlsOptions, proxies: ProxyOptions) -> grpc.Channel:
    """A channel to the address's host and port; gRPC connects by itself at the first call.

    Raises ``ConfigurationError`` for a root path, which native gRPC has no place for, or unusable TLS files, and
    ``ArgoCDUnreachable`` when an unverified certificate cannot be fetched.
    """
    address = options.address
    if address.root_path:
        raise ConfigurationError(
            "native gRPC knows no root path",
            where=str(address),
            hint="use --argocd-grpc-web",
            code="bad_argocd_address",
        )
    arguments = _arguments(options, proxies)
    if not address.is_tls:
        return _with_headers(grpc.insecure_channel(address.target, arguments), options)
    roots = _roots(tls)
    if tls.insecure:
        roots, name = _presented_certificate(address)
        arguments.append(("grpc.ssl_target_name_override", name))
    credentials = grpc.ssl_channel_credentials(roots, *_client_certificate(tls))
    return _with_headers(grpc.secure_channel(address.target, credentials, arguments), options)


def _with_headers(channel: grpc.Channel, options: WireOptions) -> grpc.Channel:
    """The operator's headers are metadata here."""
    if not options.headers:
        return channel
    return grpc.intercept_channel(channel, _HeaderInterceptor(options.headers))


class _HeaderInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
):
    """Adds the same metadata to every call."""

    def __init__(self, headers: tuple[tuple[str, str], ...]) -> None:
        self._metadata = tuple((name.lower(), value) for name, value in headers)

    def intercept_unary_unary(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_more(client_call_details), request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_more(client_call_details), request)

    def _with_more(self, details: Any) -> Any:
        return details._replace(metadata=(*self._metadata, *(details.metadata or ())))


def _arguments(options: WireOptions, proxies: ProxyOptions) -> list[tuple[str, str | int]]:
    address = options.address
    # Proxies are ours to choose, as for gRPC-Web; gRPC would read the environment by itself.
    proxy = proxies.proxy_for(f"{address.scheme}://{address.target}")
    through: list[tuple[str, str | int]] = [("grpc.http_proxy", proxy)] if proxy else []
    return [
        *through,
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.primary_user_agent", options.user_agent),
        ("grpc.enable_http_proxy", int(bool(proxy))),
    ]


def _roots(tls: TlsOptions) -> bytes | None:
    """The platform's trust store and the CA file, as PEM; None, for gRPC's own store, where there is neither."""
    platform = ssl.get_default_verify_paths().cafile
    roots = Path(platform).read_bytes() if platform else b""
    return (roots + b"\n" + _read(tls.ca_file) if tls.ca_file else roots) or None


def _client_certificate(tls: TlsOptions) -> tuple[bytes | None, bytes | None]:
    if not tls.client_cert:
        return None, None
    return _read(tls.client_key), _read(tls.client_cert)


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


def _presented_certificate(address: ServerAddress) -> tuple[bytes, str]:
    """What the server shows, and a name in it, to be trusted as it is.

    gRPC's library cannot skip verification. Trusting whatever certificate is presented when the channel is made
    amounts to the same for somebody who asked for no verification.
    """
    endpoint = (address.host, address.port or 443)
    try:
        pem = ssl.get_server_certificate(endpoint, timeout=_PROBE_TIMEOUT_S)
        return pem.encode("ascii"), _name_in(pem, endpoint)
    except OSError as error:
        raise ArgoCDUnreachable(
            transport_error(error).text,
            where=f"fetching the certificate of {address}",
            hint="check --argocd-server-addr and --argocd-plaintext",
        ) from error


def _name_in(pem: str, endpoint: tuple[str, int]) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    with (
        socket.create_connection(endpoint, timeout=_PROBE_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=endpoint[0]) as secure,
    ):
        certificate = secure.getpeercert() or {}
    pairs: tuple[tuple[str, str], ...] = certificate.get("subjectAltName", ())  # type: ignore[assignment]  # a union
    names = dict(reversed(pairs))
    return str(names.get("DNS") or names.get("IP Address") or endpoint[0])
