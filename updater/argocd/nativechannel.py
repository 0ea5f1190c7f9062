"""Native gRPC channels (``argocd-api.md`` 4): TLS inputs and options for gRPC's own library.

It needs HTTP/2 end to end and a server or proxy that selects ``h2`` by ALPN (Argo CD 2.14 or newer); gRPC-Web is the
portable choice.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from updater.argocd.certificates import PresentedCertificate, fetch_certificate
from updater.argocd.pinnedchannel import UnverifiedChannel
from updater.argocd.pins import FETCH_TIMEOUT_S, PinnedChannels
from updater.argocd.webcalls import WireOptions
from updater.clock import Clock
from updater.errors import ConfigurationError
from updater.ports.log import EventLog
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

KEEPALIVE_MS = 30_000
"""The server counts pings more often than every ten seconds as strikes and hangs up after the third."""

MOST_PAUSE_MS = 10_000
"""Between attempts to connect; the library's own two minutes would keep a server away that has come back."""


def native_channel(
    options: WireOptions, tls: TlsOptions, proxies: ProxyOptions, clock: Clock, log: EventLog
) -> grpc.Channel:
    """A channel to the address's host and port, which connects by itself at the first call.

    Raises ``ConfigurationError`` for a root path, which native gRPC has no place for, or unusable TLS files.
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
    roots, client = _roots(tls), _client_certificate(tls)
    if tls.insecure:
        return _unverified_channel(options, tls, proxies, clock, log)
    credentials = grpc.ssl_channel_credentials(roots, *client)
    return _with_headers(grpc.secure_channel(address.target, credentials, arguments), options)


def _unverified_channel(
    options: WireOptions, tls: TlsOptions, proxies: ProxyOptions, clock: Clock, log: EventLog
) -> grpc.Channel:
    """Files are read again with each look at the server's certificate: ours may have been renewed too."""
    address = options.address

    def fetch() -> PresentedCertificate:
        return fetch_certificate(address, tls, proxies, FETCH_TIMEOUT_S)

    def make(shown: PresentedCertificate) -> grpc.Channel:
        credentials = grpc.ssl_channel_credentials(shown.pem, *_client_certificate(tls))
        named = ("grpc.ssl_target_name_override", shown.name)
        arguments = [*_arguments(options, proxies), named]
        return _with_headers(grpc.secure_channel(address.target, credentials, arguments), options)

    return UnverifiedChannel(PinnedChannels(fetch, make, str(address), clock, log), clock)


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
        ("grpc.max_reconnect_backoff_ms", MOST_PAUSE_MS),
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
