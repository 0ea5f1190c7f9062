"""Opens the requests of one repository: its token, its place, a connection, and the client of its provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.clock import Clock, Deadline
from updater.forge.access import ForgeAccessSource, authorization
from updater.forge.azure_devops import AzureDevOps
from updater.forge.bitbucket import Bitbucket
from updater.forge.bitbucket_server import BitbucketServer
from updater.forge.calls import CallOptions, Connection, ForgeApi
from updater.forge.connections import Connections
from updater.forge.gitea import Gitea
from updater.forge.github import GitHub
from updater.forge.gitlab import GitLab
from updater.forge.limits import RateLimits
from updater.forge.places import ApiUrl, ForgePlace, find_place
from updater.model.git_targets import GitTarget
from updater.model.pull_requests import ForgeProvider
from updater.ports.forge import RequestForge
from updater.ports.log import EventLog

_CLIENTS: Mapping[ForgeProvider, Callable[[ForgeApi, ForgePlace], RequestForge]] = MappingProxyType(
    {
        ForgeProvider.GITHUB: GitHub,
        ForgeProvider.GITLAB: GitLab,
        ForgeProvider.GITEA: Gitea,
        ForgeProvider.FORGEJO: Gitea,
        ForgeProvider.BITBUCKET: Bitbucket,
        ForgeProvider.BITBUCKET_SERVER: BitbucketServer,
        ForgeProvider.AZURE_DEVOPS: AzureDevOps,
    }
)


@dataclass(frozen=True, slots=True)
class ForgeOptions:
    """``urls`` are the operator's, ``calls`` bound every request."""

    urls: tuple[ApiUrl, ...] = ()
    calls: CallOptions = field(default_factory=CallOptions)


class ForgeClients:
    """A ``Forges``. Thread-safe as its source of access is.

    ``close`` cuts off what runs, from any thread, and lets nothing new begin.
    """

    def __init__(self, access: ForgeAccessSource, options: ForgeOptions, clock: Clock, log: EventLog) -> None:
        self._access = access
        self._options = options
        self._connections = Connections(clock)
        self._limits = RateLimits(clock)
        self._log = log

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[RequestForge]:
        if target.pull_request is None:
            raise ValueError("the target wants no pull request")
        provider = target.pull_request.provider
        place = find_place(provider, target.remote, self._options.urls)
        with self._access.open(target, namespace, place.host, deadline) as access:
            transport = self._connections.take(access.http)
            connection = Connection(
                place.api,
                access.token,
                authorization(provider, access),
                transport,
                when_denied=lambda: self._access.reject(target, namespace),
                limits=self._limits,
            )
            try:
                yield _CLIENTS[provider](ForgeApi(connection, deadline, self._options.calls, self._log), place)
            finally:
                self._connections.give_back(transport)

    def close(self) -> None:
        """Cancel every request. Idempotent."""
        self._connections.close()
