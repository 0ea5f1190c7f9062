"""One request to a registry's API, with the best Authorization there is and with redirects followed.

Rules: ``registries.md`` 3.2 and 3.10. The header goes to the API's own origin and nowhere else, and only that origin is
listened to when it asks who we are: a place we were redirected to must not tell us where to send credentials.
"""

from __future__ import annotations

import dataclasses

from updater.clock import Deadline
from updater.errors import RegistryProtocolError
from updater.registry.answers import Answer
from updater.registry.authorization import Authorizer, Visit
from updater.registry.connections import RegistryConnections, RegistryRequest
from updater.registry.gates import Route
from updater.registry.redirects import MAX_HOPS, redirect_target

_FINE = frozenset({200, 304})
_REFUSALS = frozenset({401, 403})


class RegistryCalls:
    """Sends requests on behalf of visits. Thread-safe; knows no retries."""

    def __init__(self, connections: RegistryConnections, authorizer: Authorizer) -> None:
        self._connections = connections
        self._authorizer = authorizer

    def send(self, visit: Visit, request: RegistryRequest, deadline: Deadline) -> Answer:
        """The answer, whatever its status, after at most one more attempt with a better Authorization."""
        sent = self._authorizer.before(visit, deadline)
        answer, is_from_api = self._follow(visit, request, sent.header if sent else "", deadline)
        if answer.status in _FINE:
            return answer
        if not is_from_api:
            return _from_elsewhere(request, answer)
        better = self._authorizer.after(visit, sent, answer, deadline)
        if better is None:
            return answer
        answer, is_from_api = self._follow(visit, request, better.header, deadline)
        return answer if is_from_api else _from_elsewhere(request, answer)

    def _follow(
        self, visit: Visit, request: RegistryRequest, authorization: str, deadline: Deadline
    ) -> tuple[Answer, bool]:
        """The answer at the end of the redirects, and whether the API itself gave it."""
        endpoint, url = visit.remote.endpoint, request.url
        for _ in range(MAX_HOPS + 1):
            is_api = endpoint.serves(url)
            hop = dataclasses.replace(request, url=url, authorization=authorization if is_api else "")
            answer = self._connections.fetch(endpoint, hop, deadline, Route.API if is_api else Route.REDIRECT)
            location = answer.header("location")
            if not 300 <= answer.status < 400 or answer.status == 304 or not location:
                return answer, is_api
            url = redirect_target(url, location, endpoint.api_url)
        raise RegistryProtocolError(
            f"the registry redirects more than {MAX_HOPS} times", where=request.where, code="bad_redirect"
        )


def _from_elsewhere(request: RegistryRequest, answer: Answer) -> Answer:
    """The answer of a place we were sent to; a refusal there says nothing about the registry's credentials."""
    if answer.status in _REFUSALS:
        raise RegistryProtocolError(
            f"the registry redirects to a place that refuses the request: HTTP {answer.status}",
            where=request.where,
            hint="if that place serves /v2/ itself, set api_url to its address",
            code="redirected",
        )
    return answer
