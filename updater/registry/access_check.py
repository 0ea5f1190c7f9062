"""Whether a registry answers and lets us in, without any image: its API's root (``registries.md`` 3.1 and 3.2)."""

from __future__ import annotations

from enum import Enum

from updater.clock import Clock, Deadline
from updater.errors import RegistryProtocolError
from updater.model.references import ImageRepository
from updater.registry.authorization import Visit
from updater.registry.calls import RegistryCalls
from updater.registry.connections import RegistryRequest
from updater.registry.endpoints import Endpoint
from updater.registry.failures import refusal

_NAME = "library/probe"
"""What a token is asked for: token services name a repository in every token, whether it exists or not."""

_NOWHERE = "registry.invalid"


class Access(Enum):
    """How a registry let us in; the value is for people."""

    WITH_CREDENTIALS = "accepts the credentials"
    ANONYMOUS = "lets everybody in"
    NEEDS_CREDENTIALS = "wants credentials, and none are configured"


def any_repository(endpoint: Endpoint) -> ImageRepository:
    """A name that the endpoint would serve."""
    host, _, path = endpoint.prefix.partition("/")
    return ImageRepository(host or _NOWHERE, f"{path}/{_NAME}" if path else _NAME)


class AccessCheck:
    """Asks the root of the API. Thread-safe; knows no retries."""

    def __init__(self, calls: RegistryCalls, clock: Clock, timeout_s: float) -> None:
        self._calls = calls
        self._clock = clock
        self._timeout_s = timeout_s

    def ask(self, visit: Visit, deadline: Deadline) -> Access:
        """Raises ``RegistryError``; for refused credentials ``RegistryAuthError``."""
        where = visit.remote.endpoint.api_url
        request = RegistryRequest(visit.remote.ping_url, where=where, timeout_s=self._timeout_s)
        answer = self._calls.send(visit, request, deadline)
        has_credentials = visit.credentials is not None
        if answer.status == 401 and not has_credentials:
            return Access.NEEDS_CREDENTIALS
        if answer.status == 404:
            raise RegistryProtocolError(
                "there is no registry API at this address: HTTP 404",
                where=visit.remote.ping_url,
                hint="check api_url in registries.conf",
                code="not_a_registry",
            )
        if answer.status != 200:
            raise refusal(answer, where, self._clock.now(), has_credentials=has_credentials)
        return Access.WITH_CREDENTIALS if has_credentials else Access.ANONYMOUS
