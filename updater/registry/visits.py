"""From an image repository to a visit: its endpoint, the credentials for it, and a second try with newer ones.

Rules: ``registries.md`` 2.3 (an owner's source replaces the endpoint's, which is then not read at all; a pair comes out
of one source) and 2.5 (credentials that a registry refuses are asked for anew once, whatever their lifetime).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from updater.clock import Deadline
from updater.errors import CredentialError, RegistryAuthError, RegistryError
from updater.model.references import ImageRepository
from updater.registry.authorization import Visit
from updater.registry.credential_sources import (
    OPERATOR_TYPES,
    CredentialSource,
    UnusableSource,
    parse_credential_source,
)
from updater.registry.credentials import CredentialIds, CredentialNeed, CredentialReader, Credentials
from updater.registry.endpoints import RemoteRepository
from updater.transport.redaction import redact

_SHORTEST_SECRET = 4
"""Shorter ones are words of every sentence; masking them would hide the error and protect nothing."""

T = TypeVar("T")


class EndpointSelection(Protocol):
    """Finds the endpoint of an image, as of now."""

    def locate(self, repository: ImageRepository) -> RemoteRepository:
        """Raises ``RegistryError`` with code ``invalid_reference`` for an illegal name."""


class Visits:
    """Makes visits. Thread-safe.

    ``are_sources_ours``: pull secrets come from the operator and may name sources that are not for owners.
    """

    def __init__(
        self, endpoints: EndpointSelection, credentials: CredentialReader, *, are_sources_ours: bool = False
    ) -> None:
        self._endpoints = endpoints
        self._credentials = credentials
        self._ids = CredentialIds()
        self._are_sources_ours = are_sources_ours

    def attend(
        self, repository: ImageRepository, pull_secret: str, deadline: Deadline, work: Callable[[Visit], T]
    ) -> T:
        """What ``work`` makes of a visit; a second visit when the credentials were refused and there are others.

        Raises ``CredentialError``, ``RegistryError``, and what ``work`` raises.
        """
        remote = self._endpoints.locate(repository)
        need = _need(remote, self._source(remote, pull_secret))
        visit = self._visit(remote, self._asking(remote, lambda: self._credentials.read(need, deadline)))
        try:
            return _discreetly(visit, work)
        except RegistryAuthError:
            newer = self._newer(visit, need, deadline)
            if newer is None:
                raise
        return _discreetly(newer, work)

    def _source(self, remote: RemoteRepository, pull_secret: str) -> CredentialSource | UnusableSource | None:
        if not pull_secret.strip():
            return remote.endpoint.credentials
        source = parse_credential_source(pull_secret)
        if source.type in OPERATOR_TYPES and not self._are_sources_ours:
            raise CredentialError(
                f"credentials of type {source.type.value!r} are the operator's alone",
                hint="name them in registries.conf instead of an annotation",
                code="credentials_type_refused",
            )
        return source

    def _newer(self, visit: Visit, need: CredentialNeed, deadline: Deadline) -> Visit | None:
        refused = visit.credentials
        if refused is None:
            return None
        newer = self._asking(visit.remote, lambda: self._credentials.refresh(need, refused, deadline))
        return self._visit(visit.remote, newer) if newer is not None else None

    def _visit(self, remote: RemoteRepository, credentials: Credentials | None) -> Visit:
        return Visit(remote, credentials, self._ids.id_of(credentials))

    def _asking(self, remote: RemoteRepository, ask: Callable[[], Credentials | None]) -> Credentials | None:
        """The credentials; errors say for which endpoint they were wanted."""
        try:
            return ask()
        except CredentialError as error:
            where = f"{remote.endpoint.name}: {error.where}" if error.where else remote.endpoint.name
            raise CredentialError(
                error.what, where=where, hint=error.hint, code=error.code, retryable=error.retryable
            ) from error


def _discreetly(visit: Visit, work: Callable[[Visit], T]) -> T:
    """What ``work`` makes of the visit; an error is raised without the credentials, should a registry repeat them."""
    try:
        return work(visit)
    except RegistryError as error:
        discreet = _without(error, visit.credentials)
        if discreet is error:
            raise
        raise discreet from None


def _without(error: RegistryError, credentials: Credentials | None) -> RegistryError:
    """The same error when it does not show the credentials, else one like it that masks them."""
    secret = credentials.password.reveal() if credentials is not None else ""
    if credentials is None or len(secret) < _SHORTEST_SECRET:
        return error
    secrets = (secret, credentials.basic_authorization().removeprefix("Basic "))
    what, where, hint = (redact(text, secrets) for text in (error.what, error.where, error.hint))
    if (what, where, hint) == (error.what, error.where, error.hint):
        return error
    return type(error)(
        what,
        where=where,
        hint=hint,
        code=error.code,
        retry_after_s=error.retry_after_s,
        retryable=error.retryable,
    )


def _need(remote: RemoteRepository, source: CredentialSource | UnusableSource | None) -> CredentialNeed:
    endpoint = remote.endpoint
    return CredentialNeed(source, endpoint.api_url, remote.name, endpoint.credentials_expire_s, endpoint.tls)
