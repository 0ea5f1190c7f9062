"""The registry client from its settings."""

from __future__ import annotations

from collections.abc import Mapping

from updater.clock import Backoff, Clock
from updater.ports.log import EventLog
from updater.registry.client import RegistryClient
from updater.registry.configuration import load_registries
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import EndpointTable
from updater.registry.options import RegistryOptions
from updater.settings.parts import RegistrySettings
from updater.transport.http import HttpOptions
from updater.transport.proxies import ProxyOptions


def build_registry(
    settings: RegistrySettings, environment: Mapping[str, str], proxies: ProxyOptions, clock: Clock, log: EventLog
) -> RegistryClient:
    """A client that has sent nothing yet. Raises ``ConfigurationError`` for a registries file that is not valid."""
    configuration = load_registries(settings.conf_path)
    for warned in configuration.warnings:
        log.warning("setting_remarked", kind=warned.kind, text=warned.text)
    options = RegistryOptions(
        http=HttpOptions(
            proxies=proxies,
            pool_size=min(settings.max_connections_per_host, settings.max_inflight),
            connect_timeout_s=settings.tls_handshake_timeout_s,
        ),
        tags_backoff=Backoff(settings.tag_attempts, base_s=0.2, cap_s=3.0),
        tags_timeout_s=settings.tag_timeout_s,
        token_backoff=Backoff(settings.token_attempts, settings.token_retry_base_s, settings.token_retry_max_s),
    )
    return RegistryClient(
        EndpointTable(configuration.endpoints), CredentialReader(environment), clock, options=options, log=log
    )
