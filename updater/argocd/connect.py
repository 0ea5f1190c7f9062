"""From options to a client: the one place where the two channels differ."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc

from updater.argocd.client import READ_METHODS, ArgoCDClient, ClientOptions
from updater.argocd.nativechannel import native_channel
from updater.argocd.tokens import TokenSource
from updater.argocd.webcalls import WireOptions
from updater.argocd.webchannel import GrpcWebChannel
from updater.argocd.webrequests import check_headers
from updater.clock import Clock
from updater.errors import ConfigurationError
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.transport.http import HttpOptions, HttpTransport
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

_REFUSED_PRODUCT = "argocd-client/"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Everything that a connection depends on. ``use_grpc_web`` chooses the channel."""

    wire: WireOptions
    use_grpc_web: bool = True
    tls: TlsOptions = field(default_factory=TlsOptions)
    proxies: ProxyOptions = field(default_factory=ProxyOptions)
    pool_size: int = 16


def connect(
    options: ConnectionOptions,
    client: ClientOptions,
    tokens: TokenSource,
    clock: Clock,
    log: EventLog,
    metrics: Metrics | None = None,
) -> ArgoCDClient:
    """A client that owns its channel. Nothing is sent yet.

    Raises ``ConfigurationError`` for options that contradict each other, or TLS files of no use.
    """
    if _REFUSED_PRODUCT in options.wire.user_agent:
        raise ConfigurationError(
            f"the user agent must not contain {_REFUSED_PRODUCT!r}",
            where="--argocd-user-agent",
            hint="the server checks that product's version and would refuse us",
            code="bad_header",
        )
    check_headers(options.wire)
    if options.tls.insecure and options.wire.address.is_tls:
        log.warning("argocd_certificate_unverified", server=str(options.wire.address))
    return ArgoCDClient(_channel(options, clock, log), tokens, client, clock, log, metrics)


def _channel(options: ConnectionOptions, clock: Clock, log: EventLog) -> grpc.Channel:
    if not options.use_grpc_web:
        return native_channel(options.wire, options.tls, options.proxies, clock, log)
    http = HttpOptions(tls=options.tls, proxies=options.proxies, pool_size=options.pool_size)
    return GrpcWebChannel(HttpTransport(http, clock), clock, options.wire, READ_METHODS)
