"""Bearer tokens: asking a token service, and keeping what it gives until shortly before it expires.

Rules: ``registries.md`` 3.4. Tokens are kept under the credentials they were issued for, so nobody is served with
another's access.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from cachetools import LRUCache, TLRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryError, RegistryUnavailable, RegistryUnreachable
from updater.ports.log import EventLog
from updater.registry.answers import Answer
from updater.registry.connections import RegistryConnections
from updater.registry.credential_values import Credentials
from updater.registry.endpoints import Endpoint
from updater.registry.flights import SingleFlight
from updater.registry.gates import Route
from updater.registry.measures import RegistryMeasures
from updater.registry.options import RegistryOptions
from updater.registry.realms import check_realm
from updater.registry.retries import Attempts
from updater.registry.token_messages import (
    Token,
    TokenKey,
    failure_reason,
    parse_token,
    redirected,
    token_refusal,
    token_request,
)
from updater.transport.redaction import Secret

MAX_TOKENS = 10_000
MAX_REALMS = 1_000
_MAX_HOPS = 5


class TokenService:
    """Fetches and keeps tokens. Thread-safe; callers who need the same token at the same time share one request."""

    def __init__(
        self,
        connections: RegistryConnections,
        attempts: Attempts,
        clock: Clock,
        log: EventLog,
        options: RegistryOptions,
        measures: RegistryMeasures,
    ) -> None:
        self._connections = connections
        self._attempts = attempts
        self._measures = measures
        self._clock = clock
        self._log = log
        self._options = options
        self._lock = threading.Lock()
        self._flights: SingleFlight[Token] = SingleFlight("auth", measures)
        self._tokens: TLRUCache[TokenKey, Token] = TLRUCache(MAX_TOKENS, _expiry, timer=clock.monotonic_s)
        self._realm_hosts: LRUCache[str, str] = LRUCache(MAX_REALMS)

    def fetch(
        self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline
    ) -> tuple[Secret, bool]:
        """A token and whether it is new, that is, not taken from memory. Raises ``RegistryError``.

        Transient failures have been retried; what is raised then has the code ``token_unavailable``.
        """
        known = self._known(key)
        if known is not None:
            return known.value, False
        token = self._flights.fetch(key, deadline, lambda: self._ask(endpoint, key, credentials, deadline))
        return token.value, True

    def _known(self, key: TokenKey) -> Token | None:
        with self._lock:
            return self._tokens.get(key)

    def forget(self, key: TokenKey) -> None:
        """Drop a token that a registry refused."""
        with self._lock:
            self._tokens.pop(key, None)

    def _ask(self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline) -> Token:
        # Within the flight: who looked into memory before another flight landed would ask once more.
        known = self._known(key)
        if known is not None:
            return known
        check_realm(key.realm, endpoint.api_url)
        self._notice_realm(key)
        try:
            token = self._attempts.run(
                "auth",
                endpoint,
                self._options.token_backoff,
                deadline,
                lambda: self._attempt(endpoint, key, credentials, deadline.sooner(self._options.token_timeout_s)),
            )
        except (RegistryUnavailable, RegistryUnreachable) as error:
            raise _given_up(error) from error
        with self._lock:
            self._tokens[key] = token
        return token

    def _attempt(self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline) -> Token:
        """One request for a token, measured."""
        began_s, status, reason = self._clock.monotonic_s(), None, ""
        labels = (endpoint.api_url, key.service, " ".join(key.scopes))
        try:
            answer = self._exchange(endpoint, key, credentials, deadline)
            status = answer.status
            if status != 200:
                raise token_refusal(key, credentials, answer, self._clock.now())
            token = parse_token(answer, key.realm, self._clock)
        except RegistryError as error:
            reason = failure_reason(error, status)
            raise
        finally:
            self._measures.token_asked(*labels, self._clock.monotonic_s() - began_s, reason)
        self._measures.token_issued(*labels, token.lifetime_s)
        return token

    def _exchange(
        self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline
    ) -> Answer:
        """The answer of the token service, redirects of the GET flow followed under the rules for realms."""
        request = token_request(key, credentials)
        for _ in range(_MAX_HOPS + 1):
            answer = self._connections.fetch(endpoint, request, deadline, Route.TOKEN)
            following = redirected(request, answer, endpoint.api_url)
            if following is None:
                break
            request = following
        return answer

    def _notice_realm(self, key: TokenKey) -> None:
        host = urlsplit(key.realm).hostname or ""
        with self._lock:
            before = self._realm_hosts.get(key.api_origin, host)
            self._realm_hosts[key.api_origin] = host
        if before != host:
            self._log.warning("token_realm_changed", registry=key.api_origin, before=before, now=host)


def _expiry(_key: TokenKey, token: Token, _now: float) -> float:
    return token.expires_at_s


def _given_up(error: RegistryError) -> RegistryError:
    """The same failure under a code that nobody above retries: 3 times 7 requests would help nobody."""
    kind = RegistryUnavailable if isinstance(error, RegistryUnavailable) else RegistryUnreachable
    code = "token_unavailable" if error.code != "registry_tls" else error.code
    return kind(error.what, where=error.where, hint=error.hint, code=code, retry_after_s=error.retry_after_s)
