"""Bearer tokens: asking a token service, and keeping what it gives until shortly before it expires.

Rules: ``registries.md`` 3.4 and the token authentication document of the distribution project (GET flow; the POST flow
belongs to identity tokens, which no credential source here has). Tokens are kept under the credentials they were
issued for, so nobody is served with another's access.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from cachetools import LRUCache, TLRUCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryError, RegistryProtocolError, RegistryUnavailable, RegistryUnreachable
from updater.ports.log import EventLog
from updater.registry.answers import Answer
from updater.registry.connections import RegistryConnections, RegistryRequest
from updater.registry.credentials import Credentials
from updater.registry.endpoints import Endpoint, origin_of
from updater.registry.failures import bad_response, refusal
from updater.registry.flights import SingleFlight
from updater.registry.options import RegistryOptions
from updater.registry.realms import check_realm
from updater.registry.retries import retrying
from updater.transport.redaction import Secret

MAX_TOKENS = 10_000
MAX_REALMS = 1_000
MIN_LIFETIME_S = 60.0
"""The lifetime of a token that names none, and the least that is believed."""
MAX_LIFETIME_S = 24 * 3600.0
_LEEWAY_S = 30.0
_TRUSTED_CLOCK_SKEW = timedelta(minutes=5)
_MAX_HOPS = 5


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What a token is good for. ``scopes`` is ours, then others sorted; ``credentials_id`` stands for credentials."""

    api_origin: str
    realm: str
    service: str
    scopes: tuple[str, ...]
    credentials_id: str


@dataclass(frozen=True, slots=True)
class Token:
    """``expires_at_s`` is on the monotonic clock, the leeway already taken off."""

    value: Secret
    expires_at_s: float


class TokenService:
    """Fetches and keeps tokens. Thread-safe; callers who need the same token at the same time share one request."""

    def __init__(self, connections: RegistryConnections, clock: Clock, log: EventLog, options: RegistryOptions) -> None:
        self._connections = connections
        self._clock = clock
        self._log = log
        self._options = options
        self._lock = threading.Lock()
        self._flights: SingleFlight[Token] = SingleFlight()
        self._tokens: TLRUCache[TokenKey, Token] = TLRUCache(MAX_TOKENS, _expiry, timer=clock.monotonic_s)
        self._realm_hosts: LRUCache[str, str] = LRUCache(MAX_REALMS)

    def fetch(
        self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline
    ) -> tuple[Secret, bool]:
        """A token and whether it is new, that is, not taken from memory. Raises ``RegistryError``.

        Transient failures have been retried; what is raised then has the code ``token_unavailable``.
        """
        with self._lock:
            known = self._tokens.get(key)
        if known is not None:
            return known.value, False
        token = self._flights.fetch(key, deadline, lambda: self._ask(endpoint, key, credentials, deadline))
        return token.value, True

    def forget(self, key: TokenKey) -> None:
        """Drop a token that a registry refused."""
        with self._lock:
            self._tokens.pop(key, None)

    def _ask(self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline) -> Token:
        check_realm(key.realm, endpoint.api_url)
        self._notice_realm(key)
        try:
            answer = retrying(
                lambda: self._exchange(endpoint, key, credentials, deadline.sooner(self._options.token_timeout_s)),
                self._options.token_backoff,
                self._clock,
                deadline,
            )
        except (RegistryUnavailable, RegistryUnreachable) as error:
            raise _given_up(error) from error
        token = parse_token(answer, key.realm, self._clock)
        with self._lock:
            self._tokens[key] = token
        return token

    def _exchange(
        self, endpoint: Endpoint, key: TokenKey, credentials: Credentials | None, deadline: Deadline
    ) -> Answer:
        """The 200 of the token service, redirects followed under the rules for realms."""
        where = f"token service {origin_of(key.realm)}"
        account = credentials.user if credentials else ""
        request = RegistryRequest(
            token_url(key, account), where, credentials.basic_authorization() if credentials else ""
        )
        for _ in range(_MAX_HOPS + 1):
            answer = self._connections.fetch(endpoint, request, deadline)
            location = answer.header("location")
            if not 300 <= answer.status < 400 or not location:
                break
            request = _redirected(request, location, endpoint.api_url)
        if answer.status == 404:
            raise RegistryProtocolError("the token service is not there: HTTP 404", where=where, code="request_refused")
        if answer.status != 200:
            raise refusal(answer, where, self._clock.now(), has_credentials=credentials is not None)
        return answer

    def _notice_realm(self, key: TokenKey) -> None:
        host = urlsplit(key.realm).hostname or ""
        with self._lock:
            before = self._realm_hosts.get(key.api_origin, host)
            self._realm_hosts[key.api_origin] = host
        if before != host:
            self._log.warning("token_realm_changed", registry=key.api_origin, before=before, now=host)


def token_url(key: TokenKey, account: str) -> str:
    """The URL of the GET flow: the realm's own query is kept, one ``scope`` per scope."""
    fields = [("service", key.service)] if key.service else []
    fields += [("scope", scope) for scope in key.scopes]
    fields += [("account", account)] if account else []
    realm = key.realm.partition("#")[0]
    separator = "" if not fields else "&" if "?" in realm else "?"
    return f"{realm}{separator}{urlencode(fields, safe=':/')}"


def parse_token(answer: Answer, realm: str, clock: Clock) -> Token:
    """The token in a 200, with its expiry; raises ``RegistryProtocolError`` for an answer without one."""
    where = f"token service {origin_of(realm)}"
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise bad_response("the token service did not answer with JSON", where) from error
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    value = fields.get("access_token") or fields.get("token")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise RegistryProtocolError("the answer of the token service holds no token", where=where, code="no_token")
    lifetime_s = _lifetime_s(fields, clock.now())
    usable_s = lifetime_s - min(_LEEWAY_S, lifetime_s / 10)
    return Token(Secret(value), clock.monotonic_s() + usable_s)


def _lifetime_s(fields: dict[str, Any], now: datetime) -> float:
    """Seconds from now. ``issued_at`` only ever shortens, and only when its clock is close to ours."""
    named = fields.get("expires_in")
    is_number = isinstance(named, int | float) and not isinstance(named, bool)
    lifetime_s = min(MAX_LIFETIME_S, max(MIN_LIFETIME_S, named if is_number and named is not None else 0.0))
    issued_at = fields.get("issued_at")
    if not isinstance(issued_at, str):
        return lifetime_s
    try:
        age = now - datetime.fromisoformat(issued_at)
    except (ValueError, TypeError, OverflowError):
        # A date we cannot read, or one without an offset, is as good as none.
        return lifetime_s
    return lifetime_s - age.total_seconds() if timedelta() < age <= _TRUSTED_CLOCK_SKEW else lifetime_s


def _expiry(_key: TokenKey, token: Token, _now: float) -> float:
    return token.expires_at_s


def _redirected(request: RegistryRequest, location: str, api_url: str) -> RegistryRequest:
    target = urljoin(request.url, location)
    check_realm(target, api_url)
    if origin_of(target) == origin_of(request.url):
        return dataclasses.replace(request, url=target)
    return dataclasses.replace(request, url=target, authorization="")


def _given_up(error: RegistryError) -> RegistryError:
    """The same failure under a code that nobody above retries: 3 times 7 requests would help nobody."""
    kind = RegistryUnavailable if isinstance(error, RegistryUnavailable) else RegistryUnreachable
    code = "token_unavailable" if error.code != "registry_tls" else error.code
    return kind(error.what, where=error.where, hint=error.hint, code=code, retry_after_s=error.retry_after_s)
