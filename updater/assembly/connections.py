"""The Argo CD client from its settings."""

from __future__ import annotations

import platform
from pathlib import Path

from updater import __version__
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, CallTimeouts, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.tokens import FileToken, StaticToken, TokenSource
from updater.argocd.webcalls import WireOptions
from updater.assembly.surroundings import Surroundings
from updater.settings.parts import ConnectionSettings
from updater.transport.trust import TlsOptions


def build_client(settings: ConnectionSettings, around: Surroundings) -> ArgoCDClient:
    """A client that has sent nothing yet. Raises ``ConfigurationError`` for an address, token or file of no use."""
    options = connection_options(settings, around)
    timeouts = CallTimeouts.all_of(settings.timeout_s) if settings.timeout_s else CallTimeouts()
    return connect(
        options,
        ClientOptions(str(options.wire.address), timeouts),
        token_source(settings),
        around.clock,
        around.log,
        around.metrics,
    )


def connection_options(settings: ConnectionSettings, around: Surroundings) -> ConnectionOptions:
    """Everything that the connection depends on. Raises ``ConfigurationError`` for an address or file of no use."""
    address = parse_address(settings.server, plaintext=settings.is_plaintext, root_path=settings.root_path)
    wire = WireOptions(
        address=address,
        user_agent=settings.user_agent or product(),
        headers=tuple((name, value.reveal()) for name, value in settings.headers),
        max_message_bytes=settings.max_message_size,
    )
    return ConnectionOptions(
        wire=wire,
        use_grpc_web=settings.dialect.is_grpc_web,
        tls=TlsOptions(settings.server_crt, settings.client_crt, settings.client_crt_key, settings.is_insecure),
        proxies=around.proxies,
    )


def product() -> str:
    """Our user agent; never of the form that the server checks the version of."""
    return f"argocd-image-updater-python/{__version__} (python {platform.python_version()})"


def token_source(settings: ConnectionSettings) -> TokenSource:
    """Where the token comes from. Raises ``ConfigurationError`` for one that no header can carry."""
    if settings.token_file and not settings.token:
        return FileToken(Path(settings.token_file))
    return StaticToken(settings.token.reveal(), "the Argo CD token")
