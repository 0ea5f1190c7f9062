"""Puts the readers of all credential sources together (``registries.md`` 2.1).

The cloud identities load their libraries when they are first used; a missing one is an error for the images that
need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TypeVar

from updater.clock import Clock
from updater.model.credential_sources import SourceType
from updater.ports.log import EventLog, NullLog
from updater.ports.secrets import SecretSource
from updater.registry.credential_cache import BackgroundThreads, LeaseCache
from updater.registry.credential_fetchers import Fetcher, KeptReader, NoKubernetes, ScriptFetcher, SecretFetcher
from updater.registry.credential_files import DockerConfigFiles
from updater.registry.credential_values import SourceReader
from updater.registry.credentials import CredentialReader
from updater.registry.identity.acr import AcrFetcher
from updater.registry.identity.ecr import EcrFetcher
from updater.registry.identity.gar import GarFetcher
from updater.registry.scripts import ScriptRunner
from updater.transport.http import HttpOptions

V = TypeVar("V")


def build_credential_reader(
    environment: Mapping[str, str],
    clock: Clock,
    *,
    log: EventLog | None = None,
    secrets: SecretSource | None = None,
    http: HttpOptions | None = None,
) -> CredentialReader:
    """A reader for every type of source; nothing is read, started or loaded yet. The caller closes it.

    ``environment`` holds the variables of ``env`` sources and is what scripts get. Without ``secrets`` the types
    ``secret`` and ``pullsecret`` are errors. ``http`` is used for the exchange with Azure registries.
    """
    log = log or NullLog()
    resources = ExitStack()
    threads = BackgroundThreads()
    resources.callback(threads.close)

    def kept(fetcher: Fetcher[V]) -> SourceReader:
        return KeptReader(fetcher, LeaseCache(clock, log, threads.start))

    from_secrets = kept(SecretFetcher(secrets or NoKubernetes()))
    readers: dict[SourceType, SourceReader] = {
        SourceType.SECRET: from_secrets,
        SourceType.PULL_SECRET: from_secrets,
        SourceType.EXT: kept(ScriptFetcher(ScriptRunner(environment, clock, log))),
        SourceType.FILE: DockerConfigFiles(),
        SourceType.ECR: kept(EcrFetcher(clock)),
        SourceType.GAR: kept(GarFetcher(clock)),
        SourceType.ACR: kept(AcrFetcher(http or HttpOptions(), clock)),
    }
    return CredentialReader(environment, readers, resources)
