"""Short-lived tokens in general: a cache with an end for each, and the request that answers with JSON."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.transport.errors import TransportError
from updater.transport.http import HttpRequest, HttpTransport
from updater.transport.redaction import Secret, cap_text, redact

LEEWAY = timedelta(minutes=5)
"""A token is not used in its last minutes: a push may take that long."""
MAX_ANSWER_BYTES = 1024 * 1024
MAX_CACHED = 1000


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its last moment."""

    value: Secret
    expires_at: datetime


class TokenCache:
    """Tokens by what they were asked for with. Thread-safe; two callers may ask for the same one at the same time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def get(self, key: str, fetch: Callable[[], Token]) -> Secret:
        """The cached token, or the fetched one when there is none or it ends soon."""
        with self._lock:
            token = self._tokens.get(key)
        if token is None or token.expires_at - LEEWAY <= self._clock.now():
            token = fetch()
            with self._lock:
                if len(self._tokens) >= MAX_CACHED:
                    self._tokens.clear()
                self._tokens[key] = token
        return token.value

    def forget(self, key: str) -> bool:
        """Drop a token that was refused; True when there was one."""
        with self._lock:
            return self._tokens.pop(key, None) is not None


def cache_key(*parts: str) -> str:
    """A key that holds none of its parts, some of which are secrets."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def form_request(url: str, fields: Mapping[str, str]) -> HttpRequest:
    """A POST of a form, as OAuth 2.0 has it (RFC 6749)."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return HttpRequest("POST", url, headers, urlencode(fields).encode(), is_repeatable=False)


def request_json(transport: HttpTransport, request: HttpRequest, deadline: Deadline) -> Mapping[str, Any]:
    """The object of a successful answer; raises ``CredentialError`` ``token_request_failed``."""
    try:
        with transport.open(request, deadline) as exchange:
            status, body = exchange.status, exchange.read(cap_bytes=MAX_ANSWER_BYTES)
    except TransportError as error:
        raise _failed(request.url, error.text, is_retryable=True) from error
    if status not in (200, 201):
        said = cap_text(redact(body.decode("utf-8", "replace")))
        raise _failed(request.url, f"status {status} ({said})", is_retryable=status >= 500 or status == 429)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _failed(request.url, "the answer is no JSON", is_retryable=True) from error
    if not isinstance(answer, dict):
        raise _failed(request.url, "the answer is no object", is_retryable=True)
    return answer


def token_text(answer: Mapping[str, Any], name: str, url: str) -> Secret:
    """The token of an answer; raises ``CredentialError`` when it holds none."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise _failed(url, "the answer holds no token", is_retryable=True)
    return Secret(value)


def _failed(url: str, what: str, *, is_retryable: bool) -> CredentialError:
    return CredentialError(
        f"a token could not be had: {what}",
        where=url,
        hint="see the id, the key and the address in the credentials",
        code="token_request_failed",
        retryable=is_retryable,
    )
