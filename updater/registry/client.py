"""The registry client: the one object that others see, and the owner of everything below it."""

from __future__ import annotations

from collections.abc import Sequence

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.model.images import Candidate, Inspection, TagList
from updater.model.references import ImageRepository
from updater.ports.log import EventLog, NullLog
from updater.registry.authorization import Authorizer, Visit
from updater.registry.calls import RegistryCalls
from updater.registry.connections import RegistryConnections
from updater.registry.content import RepositoryContent
from updater.registry.credential_sources import (
    OPERATOR_TYPES,
    CredentialSource,
    UnusableSource,
    parse_credential_source,
)
from updater.registry.credentials import CredentialIds, CredentialNeed, CredentialReader
from updater.registry.endpoints import EndpointTable, RemoteRepository, TagSortMode
from updater.registry.image_facts import ImageReader
from updater.registry.inspection import TagInspection
from updater.registry.listing import TagListing
from updater.registry.names import check_tag
from updater.registry.object_memory import ObjectMemory
from updater.registry.options import RegistryOptions
from updater.registry.polls import PollKey, SharedPolls
from updater.registry.tag_memory import TagMemory
from updater.registry.tag_order import positions
from updater.registry.tokens import TokenService


class RegistryClient:
    """Lists and inspects tags (``updater.ports.registry``). Thread-safe; closed once by its owner."""

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
        calls = RegistryCalls(self._connections, authorizer)
        self._listing = TagListing(calls, clock, log, options)
        self._polls = SharedPolls(clock, options.share_tags_s)
        self._tags = TagMemory(clock, options.share_tags_s, are_immutable=options.tags_are_immutable)
        content = RepositoryContent(calls, ObjectMemory(), clock, log, options)
        self._inspection = TagInspection(content, ImageReader(content, clock, log), self._tags, log)

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        """The complete list or an error, never a part. Raises ``RegistryError`` or ``CredentialError``.

        ``pull_secret`` is an owner's credential source; it replaces the endpoint's, which is then not read at all
        (``registries.md`` 2.3). A list that is younger than ``share_tags_s`` is served from memory.
        """
        limit = deadline.sooner(self._operation_timeout_s)
        return TagList(repository, self._list(self._visit_of(repository, pull_secret, limit), limit))

    def fetch_candidates(
        self,
        repository: ImageRepository,
        tags: Sequence[str],
        inspection: Inspection,
        deadline: Deadline,
        *,
        pull_secret: str = "",
    ) -> tuple[Candidate, ...]:
        """One candidate per tag that the registry has, in the order of ``tags``; see ``TagInspector``.

        Raises ``RegistryError`` or ``CredentialError``. What is known of a tag serves as long as a list does.
        """
        visit = self._visit_of(repository, pull_secret, deadline)
        for tag in tags:
            check_tag(repository, tag)
        mode = visit.remote.endpoint.tag_sort_mode
        if inspection.wants_created and mode is not TagSortMode.UNSORTED:
            return positions(self._list(visit, deadline.sooner(self._operation_timeout_s)), tags, mode)
        return self._inspection.fetch(visit, poll_key(visit), tags, inspection, deadline)

    def forget_tags(self, repository: ImageRepository) -> None:
        """The repository is known to have changed: the next call about it asks the registry."""
        tags_url = self._endpoints.locate(repository).tags_url
        self._polls.forget(tags_url)
        self._tags.forget_repository(tags_url)

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        self._connections.close()

    def _list(self, visit: Visit, deadline: Deadline) -> tuple[str, ...]:
        return self._polls.fetch(poll_key(visit), deadline, lambda: self._listing.fetch(visit, deadline))

    def _visit_of(self, repository: ImageRepository, pull_secret: str, deadline: Deadline) -> Visit:
        remote = self._endpoints.locate(repository)
        return self._visit(remote, self._source(remote, pull_secret), deadline)

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


def poll_key(visit: Visit) -> PollKey:
    """What a visit learns belongs to this key, and to no other credentials."""
    return PollKey(visit.remote.tags_url, visit.credentials_id, visit.remote.endpoint.tls)
