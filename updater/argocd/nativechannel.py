"""Native gRPC channels (``argocd-api.md`` 4): TLS inputs and options for gRPC's own library.

It needs HTTP/2 end to end and a server or proxy that selects ``h2`` by ALPN (Argo CD 2.14 or newer); gRPC-Web is the
portable choice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from updater.argocd.pinnedchannel import RenewableChannel
from updater.argocd.pins import PinHabit, PinnedChannels
from updater.argocd.trusts import ChannelTrust, fetch_trust, load_trust
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
    look: Callable[[], ChannelTrust]
    if address.root_path:
        raise ConfigurationError(
            "native gRPC knows no root path",
            where=str(address),
            hint="use --argocd-grpc-web",
            code="bad_argocd_address",
        )
    if not address.is_tls:
        # There is nothing to trust, but calls that meet the end of the process end as over TLS.
        habit = PinHabit(str(address), "argocd_trust_renewed")
        plain = partial(_plain_channel, options, proxies)
        return RenewableChannel(PinnedChannels(lambda: ChannelTrust(None), plain, habit, clock, log), clock)
    # A file of no use is to be heard of at the start, whenever the first call comes.
    load_trust(tls)
    if tls.insecure:
        look = partial(fetch_trust, address, tls, proxies)
        habit = PinHabit(str(address), "argocd_certificate_changed", replaces_same=True)
    else:
        look = partial(load_trust, tls)
        habit = PinHabit(str(address), "argocd_trust_renewed")
    make = partial(_trusting_channel, options, proxies)
    return RenewableChannel(PinnedChannels(look, make, habit, clock, log), clock)


def _plain_channel(options: WireOptions, proxies: ProxyOptions, _trust: ChannelTrust) -> grpc.Channel:
    return _with_headers(grpc.insecure_channel(options.address.target, _arguments(options, proxies)), options)


def _trusting_channel(options: WireOptions, proxies: ProxyOptions, trust: ChannelTrust) -> grpc.Channel:
    arguments = _arguments(options, proxies)
    if trust.name:
        arguments.append(("grpc.ssl_target_name_override", trust.name))
    credentials = grpc.ssl_channel_credentials(trust.roots, trust.key, trust.certificate)
    return _with_headers(grpc.secure_channel(options.address.target, credentials, arguments), options)


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
