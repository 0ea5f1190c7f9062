"""What is said to a token service and what it answers.

Rules: ``registries.md`` 3.4 and the token authentication documents of the distribution project: the GET flow, and the
OAuth2 flow (POST) for identity tokens, which are traded for bearer tokens.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

from updater.clock import Clock
from updater.errors import RegistryAuthError, RegistryError, RegistryProtocolError
from updater.registry.answers import Answer
from updater.registry.connections import USER_AGENT, RegistryRequest
from updater.registry.credential_values import CredentialKind, Credentials
from updater.registry.endpoints import origin_of
from updater.registry.failures import bad_response, refusal
from updater.registry.realms import check_realm
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.redaction import Secret

MIN_LIFETIME_S = 60.0
"""The lifetime of a token that names none, and the least that is believed."""
MAX_LIFETIME_S = 24 * 3600.0
_LEEWAY_S = 30.0
_TRUSTED_CLOCK_SKEW = timedelta(minutes=5)
_NO_OAUTH2 = frozenset({400, 404, 405})
"""How services answer to a flow they do not have."""


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
    """``expires_at_s`` is on the monotonic clock, the leeway already taken off; ``lifetime_s`` is the whole."""

    value: Secret
    expires_at_s: float
    lifetime_s: float = 0.0


def token_service(key: TokenKey) -> str:
    """The service as errors name it, without the realm's path and query."""
    return f"token service {origin_of(key.realm)}"


def token_request(key: TokenKey, credentials: Credentials | None) -> RegistryRequest:
    """The first request for a token; with an identity token that of the OAuth2 flow."""
    where = token_service(key)
    if credentials is None:
        return RegistryRequest(token_url(key, ""), where)
    if credentials.kind is not CredentialKind.IDENTITY_TOKEN:
        return RegistryRequest(token_url(key, credentials.user), where, credentials.basic_authorization())
    fields = {
        "grant_type": "refresh_token",
        "service": key.service,
        "client_id": USER_AGENT,
        "scope": " ".join(key.scopes),
        "refresh_token": credentials.password.reveal(),
    }
    return RegistryRequest(key.realm.partition("#")[0], where, method="POST", form=urlencode(fields).encode())


def redirected(request: RegistryRequest, answer: Answer, api_url: str) -> RegistryRequest | None:
    """The request that an answer sends us on to, None when it does not; raises ``RegistryProtocolError``.

    A form holds a token and is never sent on.
    """
    location = answer.header("location")
    if not 300 <= answer.status < 400 or not location or request.form:
        return None
    target = urljoin(request.url, location)
    check_realm(target, api_url)
    is_same = origin_of(target) == origin_of(request.url)
    return dataclasses.replace(request, url=target, authorization=request.authorization if is_same else "")


def token_refusal(key: TokenKey, credentials: Credentials | None, answer: Answer, now: datetime) -> RegistryError:
    """The error for an answer of another status than 200."""
    where = token_service(key)
    if credentials is not None and credentials.kind is CredentialKind.IDENTITY_TOKEN and answer.status in _NO_OAUTH2:
        return RegistryAuthError(
            f"the token service does not take the identity token: HTTP {answer.status}",
            where=where,
            hint="log in again, or use a user and a password",
        )
    if answer.status == 404:
        return RegistryProtocolError("the token service is not there: HTTP 404", where=where, code="request_refused")
    return refusal(answer, where, now, has_credentials=credentials is not None)


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
    return Token(Secret(value), clock.monotonic_s() + usable_s, lifetime_s)


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


def failure_reason(error: RegistryError, status: int | None) -> str:
    """The value of the label ``reason``; ``status`` is that of the answer, None when there was none."""
    if status is not None and status != 200:
        return f"http_{status}"
    if status is not None:
        return "no_token" if error.code == "no_token" else "parse_json_error"
    if error.code == "registry_timeout":
        return "timeout"
    cause = error.__cause__
    is_cut = isinstance(cause, TransportError) and cause.kind in {
        TransportFailure.TRUNCATED,
        TransportFailure.TOO_LARGE,
    }
    return "read_body_error" if is_cut else "roundtrip_error"
