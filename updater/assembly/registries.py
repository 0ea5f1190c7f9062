"""The registry client from its settings: for a round, and for the test of one image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from updater.assembly.surroundings import Surroundings
from updater.clock import Backoff, SystemClock
from updater.errors import ConfigurationError
from updater.model.references import ImageRepository
from updater.ports.log import EventLog
from updater.registry.client import RegistryClient
from updater.registry.configuration import RegistryConfiguration, load_registries
from updater.registry.configuration_live import LiveRegistries
from updater.registry.credential_readers import build_credential_reader
from updater.registry.endpoints import RemoteRepository
from updater.registry.options import RegistryOptions, janitor_period_s, transports_for
from updater.settings.parts import RegistrySettings
from updater.settings.table.registries import DEFAULT_CONF_PATH
from updater.transport.http import HttpOptions
from updater.transport.proxies import ProxyOptions


@dataclass(frozen=True, slots=True)
class FleetRegistries:
    """The client of a fleet, and the file that it follows."""

    client: RegistryClient
    live: LiveRegistries

    def refresh(self) -> None:
        """Follow the file if it has changed; connections under TLS inputs that hold no longer are given up."""
        change = self.live.refresh()
        if change is None:
            return
        for origin, tls in change.peers:
            self.client.retire(origin, tls)
        for tls in change.tls:
            self.client.retire_trust(tls)


def build_registries(settings: RegistrySettings, around: Surroundings) -> FleetRegistries:
    """A client that has sent nothing yet. Raises ``ConfigurationError`` for a registries file that is not valid."""
    live = LiveRegistries(settings.conf_path, log=around.log, metrics=around.metrics)
    credentials = build_credential_reader(
        around.environment, around.clock, log=around.log, http=HttpOptions(proxies=around.proxies)
    )
    options = _options(settings, around.proxies)
    client = RegistryClient(live, credentials, around.clock, options=options, log=around.log, metrics=around.metrics)
    return FleetRegistries(client, live)


@dataclass(frozen=True, slots=True)
class RegistryUnderTest:
    """What the command ``test`` talks to: a client of its own, and where that finds the image."""

    clock: SystemClock
    client: RegistryClient
    remote: RemoteRepository

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self.clock.stop()
        self.client.close()


def build_registry_under_test(
    settings: RegistrySettings,
    repository: ImageRepository,
    environment: Mapping[str, str],
    log: EventLog,
    *,
    requests_per_s: int | None = None,
    default_path: str = DEFAULT_CONF_PATH,
) -> RegistryUnderTest:
    """A client that has sent nothing yet, with ``requests_per_s`` for the image's endpoint unless that is None.

    Without a path in the settings the file at ``default_path`` is read if it can be, as 1.x does (``runtime.md`` 2.2).
    Raises ``ConfigurationError`` for a file that cannot be used, ``RegistryError`` for a name that no registry takes.
    """
    configuration = _load_configuration(_tested_path(settings.conf_path, default_path), log)
    remote = configuration.table.locate(repository)
    if requests_per_s is not None:
        remote = replace(remote, endpoint=replace(remote.endpoint, requests_per_s=requests_per_s))
        # The last of two entries with one prefix counts.
        configuration = replace(configuration, endpoints=(*configuration.endpoints, remote.endpoint))
    clock, proxies = SystemClock(), ProxyOptions.from_environment(environment)
    credentials = build_credential_reader(environment, clock, log=log, http=HttpOptions(proxies=proxies))
    # What the command line names as credentials, the operator names.
    options = replace(_options(settings, proxies), are_pull_secrets_ours=True)
    client = RegistryClient(configuration.table, credentials, clock, options=options, log=log)
    return RegistryUnderTest(clock, client, remote)


def _tested_path(path: str, default_path: str) -> str:
    if path and not Path(path).is_file():
        raise ConfigurationError(
            f"Could not load registry configuration from {path}: there is no such file", code="registries_invalid"
        )
    is_there = Path(default_path).is_file() and os.access(default_path, os.R_OK)
    return path or (default_path if is_there else "")


def _load_configuration(path: str, log: EventLog) -> RegistryConfiguration:
    configuration = load_registries(path)
    for warned in configuration.warnings:
        log.warning("setting_remarked", kind=warned.kind, text=warned.text, path=path)
    return configuration


_RETRY_BASE_S, _RETRY_CAP_S = 0.2, 3.0
_SHARE_OF_INTERVAL = 0.9
"""A list serves everybody until just before the next round asks again (``registries.md`` 6.3)."""


def _options(settings: RegistrySettings, proxies: ProxyOptions) -> RegistryOptions:
    pool_size = min(settings.max_connections_per_host, settings.max_idle_connections_per_host, settings.max_inflight)
    options = RegistryOptions(
        http=HttpOptions(proxies=proxies, pool_size=pool_size, connect_timeout_s=settings.tls_handshake_timeout_s),
        tags_backoff=Backoff(settings.tag_attempts, _RETRY_BASE_S, _RETRY_CAP_S),
        tags_timeout_s=settings.tag_timeout_s,
        manifest_backoff=Backoff(settings.manifest_attempts, _RETRY_BASE_S, _RETRY_CAP_S),
        manifest_timeout_s=settings.manifest_timeout_s,
        token_backoff=Backoff(settings.token_attempts, settings.token_retry_base_s, settings.token_retry_max_s),
        max_transports=transports_for(settings.max_idle_connections, pool_size),
        response_header_timeout_s=settings.response_header_timeout_s,
        janitor_period_s=janitor_period_s(settings.janitor_interval_s, settings.idle_connection_timeout_s),
        tags_are_immutable=settings.tags_are_immutable,
        cache_folder=settings.cache_folder,
        allowed_hosts=settings.allowed_hosts,
        port_exhaustion_window_s=settings.port_exhaustion_window_s,
        port_exhaustion_threshold=settings.port_exhaustion_threshold,
    )
    if not settings.interval_s:
        return options
    return replace(options, share_tags_s=share_tags_s(settings))


def share_tags_s(settings: RegistrySettings) -> float:
    """How long a list serves everybody."""
    return _SHARE_OF_INTERVAL * settings.interval_s
