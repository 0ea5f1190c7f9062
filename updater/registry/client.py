"""The registry client: the one object that others see, and the owner of everything below it."""

from __future__ import annotations

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.model.images import TagList
from updater.model.references import ImageRepository
from updater.ports.log import EventLog, NullLog
from updater.registry.authorization import Authorizer, Visit
from updater.registry.connections import RegistryConnections
from updater.registry.credential_sources import (
    OPERATOR_TYPES,
    CredentialSource,
    UnusableSource,
    parse_credential_source,
)
from updater.registry.credentials import CredentialIds, CredentialNeed, CredentialReader
from updater.registry.endpoints import EndpointTable, RemoteRepository
from updater.registry.listing import TagListing
from updater.registry.options import RegistryOptions
from updater.registry.polls import PollKey, SharedPolls
from updater.registry.tokens import TokenService


class RegistryClient:
    """Lists tags (``updater.ports.registry.TagSource``). Thread-safe; closed once by its owner."""

    def __init__(
        self,
        endpoints: EndpointTable,
        credentials: CredentialReader,
        clock: Clock,
        *,
        options: RegistryOptions | None = None,
        log: EventLog | None = None,
    ) -> None:
        options, log = options or RegistryOptions(), log or NullLog()
        self._endpoints = endpoints
        self._credentials = credentials
        self._credential_ids = CredentialIds()
        self._operation_timeout_s = options.operation_timeout_s
        self._connections = RegistryConnections(options.http, clock)
        tokens = TokenService(self._connections, clock, log, options)
        authorizer = Authorizer(self._connections, tokens, clock, options)
        self._listing = TagListing(self._connections, authorizer, clock, log, options)
        self._polls = SharedPolls(clock, options.share_tags_s)

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        """The complete list or an error, never a part. Raises ``RegistryError`` or ``CredentialError``.

        ``pull_secret`` is an owner's credential source; it replaces the endpoint's, which is then not read at all
        (``registries.md`` 2.3). A list that is younger than ``share_tags_s`` is served from memory.
        """
        remote = self._endpoints.locate(repository)
        limit = deadline.sooner(self._operation_timeout_s)
        visit = self._visit(remote, self._source(remote, pull_secret), limit)
        key = PollKey(remote.tags_url, visit.credentials_id, remote.endpoint.tls)
        tags = self._polls.fetch(key, limit, lambda: self._listing.fetch(visit, limit))
        return TagList(repository, tags)

    def forget_tags(self, repository: ImageRepository) -> None:
        """The repository is known to have changed: the next ``fetch_tags`` asks the registry."""
        self._polls.forget(self._endpoints.locate(repository).tags_url)

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        self._connections.close()

    def _source(self, remote: RemoteRepository, pull_secret: str) -> CredentialSource | UnusableSource | None:
        if not pull_secret:
            return remote.endpoint.credentials
        source = parse_credential_source(pull_secret)
        if source.type in OPERATOR_TYPES:
            raise CredentialError(
                f"credentials of type {source.type.value!r} are the operator's alone",
                hint="name them in registries.conf instead of an annotation",
                code="credentials_type_refused",
            )
        return source

    def _visit(
        self, remote: RemoteRepository, source: CredentialSource | UnusableSource | None, deadline: Deadline
    ) -> Visit:
        endpoint = remote.endpoint
        need = CredentialNeed(source, endpoint.api_url, remote.name, endpoint.credentials_expire_s, endpoint.tls)
        try:
            credentials = self._credentials.read(need, deadline)
        except CredentialError as error:
            where = f"{remote.endpoint.name}: {error.where}" if error.where else remote.endpoint.name
            raise CredentialError(error.what, where=where, hint=error.hint, code=error.code) from error
        return Visit(remote, credentials, self._credential_ids.id_of(credentials))
