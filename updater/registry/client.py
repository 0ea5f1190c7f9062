"""The registry client: the one object that others see, and the owner of everything below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from updater.clock import Clock, Deadline
from updater.errors import RegistryAuthError
from updater.model.images import Candidate, ImageLabels, Inspection, TagList
from updater.model.references import ImageReference, ImageRepository
from updater.ports.log import EventLog, NullLog
from updater.ports.metrics import Metrics
from updater.registry.access_check import Access, AccessCheck, any_repository
from updater.registry.allowed_hosts import AllowedHosts
from updater.registry.authorization import Authorizer, Visit
from updater.registry.calls import RegistryCalls
from updater.registry.connections import RegistryConnections
from updater.registry.content import ContentContext, RepositoryContent
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, TagSortMode
from updater.registry.image_facts import ImageReader
from updater.registry.image_labels import LabelReader
from updater.registry.inspection import TagInspection
from updater.registry.listing import Listing, TagListing
from updater.registry.measures import RegistryMeasures
from updater.registry.names import check_tag
from updater.registry.object_disk import ObjectDisk
from updater.registry.object_memory import ObjectMemory
from updater.registry.options import RegistryOptions
from updater.registry.polls import PollKey, SharedPolls
from updater.registry.port_exhaustion import PortExhaustion
from updater.registry.refusals import Ask, Refusals
from updater.registry.retries import Attempts
from updater.registry.tag_memory import TagMemory
from updater.registry.tag_order import positions
from updater.registry.tokens import TokenService
from updater.registry.visits import EndpointSelection, Visits
from updater.transport.trust import TlsOptions

T = TypeVar("T")


class RegistryClient:
    """Lists and inspects tags (``updater.ports.registry``). Thread-safe; closed once by its owner."""

    def __init__(
        self,
        endpoints: EndpointSelection,
        credentials: CredentialReader,
        clock: Clock,
        *,
        options: RegistryOptions | None = None,
        log: EventLog | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        options, log, measures = options or RegistryOptions(), log or NullLog(), RegistryMeasures(metrics)
        self._endpoints = AllowedHosts(endpoints, options.allowed_hosts)
        self._credentials = credentials
        self._visits = Visits(self._endpoints, credentials, are_sources_ours=options.are_pull_secrets_ours)
        self._tell_change: Callable[[ImageRepository], None] = _tell_nobody
        self._operation_timeout_s = options.operation_timeout_s
        self.ports = PortExhaustion(
            clock, window_s=options.port_exhaustion_window_s, threshold=options.port_exhaustion_threshold
        )
        self._connections = RegistryConnections(options, clock, measures, self.ports)
        attempts = Attempts(clock, measures)
        tokens = TokenService(self._connections, attempts, clock, log, options, measures)
        authorizer = Authorizer(self._connections, tokens, clock, options, measures)
        calls = RegistryCalls(self._connections, authorizer)
        self._access = AccessCheck(calls, clock, options.tags_timeout_s)
        self._listing = TagListing(calls, attempts, clock, log, options)
        self._refusals = Refusals(clock)
        self._polls = SharedPolls(clock, options.share_tags_s, measures)
        self._tags = TagMemory(clock, options.share_tags_s, are_immutable=options.tags_are_immutable)
        context = ContentContext(clock, log, options, measures)
        disk = ObjectDisk(options.cache_folder, clock, log) if options.cache_folder else None
        self._objects = ObjectMemory(disk)
        content = RepositoryContent(calls, attempts, self._objects, context)
        self._labels = LabelReader(content, self._tags, measures)
        self._inspection = TagInspection(content, ImageReader(content, clock, log), self._tags, self._objects, log)

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        """The complete list or an error, never a part. Raises ``RegistryError`` or ``CredentialError``.

        ``pull_secret`` is an owner's credential source; it replaces the endpoint's, which is then not read at all
        (``registries.md`` 2.3). A list that is younger than ``share_tags_s`` is served from memory.
        """
        limit = deadline.sooner(self._operation_timeout_s)
        tags = self._visits.attend(repository, pull_secret, limit, lambda visit: self._list(visit, repository, limit))
        return TagList(repository, tags)

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
        for tag in tags:
            check_tag(repository, tag)
        return self._visits.attend(
            repository,
            pull_secret,
            deadline,
            lambda visit: self._inspect(visit, TagList(repository, tuple(tags)), inspection, deadline),
        )

    def fetch_labels(
        self, image: ImageReference, platforms: Sequence[str], deadline: Deadline, *, pull_secret: str = ""
    ) -> ImageLabels:
        """The labels of one image; see ``LabelSource``. Raises ``RegistryError`` or ``CredentialError``."""
        if not image.digest:
            check_tag(image.repository, image.tag)

        def read(visit: Visit) -> ImageLabels:
            return self._guarded(
                visit, Ask.READ, lambda key: self._labels.fetch(visit, key, image, platforms, deadline)
            )

        return self._visits.attend(image.repository, pull_secret, deadline, read)

    def check_access(self, endpoint: Endpoint, deadline: Deadline) -> Access:
        """How a configured registry lets us in. Raises ``RegistryError`` or ``CredentialError``."""
        repository = any_repository(endpoint)
        return self._visits.attend(repository, "", deadline, lambda visit: self._access.ask(visit, deadline))

    def _guarded(self, visit: Visit, ask: Ask, work: Callable[[PollKey], T]) -> T:
        """What ``work`` makes of a visit whose credentials were not refused a moment ago."""
        key = poll_key(visit)
        self._refusals.check(key, ask)
        try:
            result = work(key)
        except RegistryAuthError as error:
            self._refusals.note(key, ask, error)
            raise
        self._refusals.clear(key, ask)
        return result

    def _inspect(
        self, visit: Visit, wanted: TagList, inspection: Inspection, deadline: Deadline
    ) -> tuple[Candidate, ...]:
        mode = visit.remote.endpoint.tag_sort_mode
        if inspection.wants_created and mode is not TagSortMode.UNSORTED:
            limit = deadline.sooner(self._operation_timeout_s)
            return positions(self._list(visit, wanted.repository, limit), wanted.tags, mode)
        return self._guarded(
            visit, Ask.READ, lambda key: self._inspection.fetch(visit, key, wanted.tags, inspection, deadline)
        )

    def when_tags_change(self, tell: Callable[[ImageRepository], None]) -> None:
        """Call ``tell`` when a poll finds other tags than the poll before it, so that all who use them can be nudged.

        It is called in the thread that polled, while that holds nothing; what it raises is that caller's. Set once,
        before the first call.
        """
        self._tell_change = tell

    def forget_tags(self, repository: ImageRepository) -> None:
        """The repository is known to have changed: the next call about it asks the registry."""
        tags_url = self._endpoints.locate(repository).tags_url
        self._polls.forget(tags_url)
        self._tags.forget_repository(tags_url)

    def share_tags_for(self, share_s: float) -> None:
        """Lists and what is known of tags serve for so many seconds from now on."""
        self._polls.share_for(share_s)
        self._tags.share_for(share_s)

    def retire(self, origin: str, tls: TlsOptions | None = None) -> None:
        """The configuration of an API origin has changed: ask it over new connections, and without waiting."""
        self._connections.retire(origin, tls)

    def retire_trust(self, tls: TlsOptions) -> None:
        """Nobody has these TLS inputs any more: let go of the connections under them."""
        self._connections.retire_trust(tls)

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        self._connections.close()
        self._credentials.close()
        self._objects.close()

    def _list(self, visit: Visit, repository: ImageRepository, deadline: Deadline) -> tuple[str, ...]:
        def poll() -> Listing:
            return self._listing.fetch(visit, deadline)

        def tell() -> None:
            self._tell_change(repository)

        def check() -> None:
            self._connections.check_heard(visit.origin, str(visit.remote))

        return self._guarded(visit, Ask.LIST, lambda key: self._polls.fetch(key, deadline, poll, tell, check))


def poll_key(visit: Visit) -> PollKey:
    """What a visit learns belongs to this key, and to no other credentials."""
    endpoint = visit.remote.endpoint
    return PollKey(visit.remote.tags_url, visit.credentials_id, endpoint.tls, endpoint.api_url)


def _tell_nobody(repository: ImageRepository) -> None:
    """Nobody wants to know of changes."""
