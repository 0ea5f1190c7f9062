"""Pull requests from their settings: clients of the forges, with the tokens that stand among Git's credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from updater.assembly.connections import product
from updater.assembly.surroundings import Surroundings
from updater.clock import Backoff, Deadline
from updater.forge.access import ForgeAccess, TokenKind
from updater.forge.calls import CallOptions
from updater.forge.client import ForgeClients, ForgeOptions
from updater.forge.places import parse_api_url
from updater.git.api_access import ApiTokenSort
from updater.git.authentication import CredentialedAccess
from updater.manifests.messages import DEFAULT_BATCH_SUBJECT
from updater.manifests.templates.functions import TemplateFunction
from updater.model.git_targets import GitTarget
from updater.settings.git_parts import GitWriteSettings
from updater.writeback.git_measures import GitMeasures
from updater.writeback.git_requests import RequestOptions, RequestWriter
from updater.writeback.git_requests_text import RequestTemplates, parse_request_template

_KINDS: Mapping[ApiTokenSort, TokenKind] = MappingProxyType(
    {
        ApiTokenSort.PASSWORD: TokenKind.PASSWORD,
        ApiTokenSort.BEARER: TokenKind.BEARER,
        ApiTokenSort.INSTALLATION: TokenKind.INSTALLATION,
        ApiTokenSort.SCM: TokenKind.SCM,
    }
)


class GitCredentialAccess:
    """A ``ForgeAccessSource`` over the credentials for git. Thread-safe as they are."""

    def __init__(self, access: CredentialedAccess) -> None:
        self._access = access

    @contextmanager
    def open(self, target: GitTarget, namespace: str, host: str, deadline: Deadline) -> Iterator[ForgeAccess]:
        with self._access.open_api(target, namespace, host, deadline) as found:
            yield ForgeAccess(_KINDS[found.sort], found.token, found.username, found.http)

    def reject(self, target: GitTarget, namespace: str) -> bool:
        return self._access.reject(target, namespace)


@dataclass(frozen=True, slots=True)
class RequestParts:
    """Who opens pull requests, and the clients that are to be closed after the last write."""

    writer: RequestWriter
    clients: ForgeClients


def build_requests(
    settings: GitWriteSettings,
    access: CredentialedAccess,
    around: Surroundings,
    templates: RequestTemplates,
    backoff: Backoff,
) -> RequestParts:
    """Who opens pull requests; has sent nothing yet. Raises ``ConfigurationError`` for an address."""
    wanted = settings.requests
    urls = tuple(parse_api_url(text, allows_http=settings.allows_http) for text in wanted.api_urls)
    calls = CallOptions(settings.retry.request_s, backoff, product())
    forges = ForgeClients(GitCredentialAccess(access), ForgeOptions(urls, calls), around.clock, around.log)
    options = RequestOptions(templates, wanted.closes_superseded)
    writer = RequestWriter(forges, options, around.log, GitMeasures(around.metrics, around.clock))
    return RequestParts(writer, forges)


def read_request_templates(settings: GitWriteSettings, functions: Mapping[str, TemplateFunction]) -> RequestTemplates:
    """The operator's templates for pull requests. Raises ``ConfigurationError`` for one that cannot be parsed."""
    wanted = settings.requests
    return RequestTemplates(
        title=parse_request_template(wanted.title_template, "--pull-request-title-template", functions),
        body=parse_request_template(wanted.body_template, "--pull-request-body-template", functions),
        functions=functions,
        subject=settings.batch.subject or DEFAULT_BATCH_SUBJECT,
    )
