"""Installation tokens of GitHub Apps (``write-back.md`` 4.7): one hour each, cached, made anew before they end.

API: "Authenticating as a GitHub App" and ``POST /app/installations/{id}/access_tokens`` of the GitHub REST API.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.git.material import GitHubApp
from updater.git.signed_tokens import sign_token
from updater.model.git_remotes import GitRemote
from updater.transport.errors import TransportError
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport
from updater.transport.redaction import Secret, cap_text, redact

DEFAULT_URL = "https://api.github.com"
LEEWAY = timedelta(minutes=5)
"""A token is not used in its last minutes: a push may take that long."""
_VALID_S = 540
_SKEW_S = 60
MAX_ANSWER_BYTES = 1024 * 1024
MAX_CACHED = 1000


@dataclass(frozen=True, slots=True)
class _Token:
    value: Secret
    expires_at: datetime


class InstallationTokens:
    """Tokens of all Apps; thread-safe. ``max_age_s`` bounds their use, ``timeout_s`` one request."""

    def __init__(self, clock: Clock, *, max_age_s: float = 3600.0, timeout_s: float = 15.0) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}

    def fetch(self, app: GitHubApp, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> Secret:
        """A token that may push to ``remote``.

        Raises ``CredentialError``: ``invalid_secret``, ``token_request_failed`` (retryable for 5xx and the network).
        """
        key = _cache_key(app, remote)
        with self._lock:
            token = self._tokens.get(key)
        if token is None or token.expires_at - LEEWAY <= self._clock.now():
            token = self._fetch_token(app, remote, http, deadline.sooner(self._timeout_s))
            with self._lock:
                if len(self._tokens) >= MAX_CACHED:
                    self._tokens.clear()
                self._tokens[key] = token
        return token.value

    def forget(self, app: GitHubApp, remote: GitRemote) -> bool:
        """Drop a token that was refused; True when there was one."""
        with self._lock:
            return self._tokens.pop(_cache_key(app, remote), None) is not None

    def _fetch_token(self, app: GitHubApp, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> _Token:
        now = self._clock.now()
        issued_s = int(now.timestamp())
        claims = {"iss": app.app_id, "iat": issued_s - _SKEW_S, "exp": issued_s + _VALID_S}
        jwt = sign_token(claims, app.private_key)
        base = (app.base_url or DEFAULT_URL).rstrip("/")
        transport = HttpTransport(http, self._clock)
        try:
            number = app.installation_id
            if not number:
                found = _call(transport, "GET", f"{base}/repos/{_owner_and_name(remote)}/installation", jwt, deadline)
                number = str(found.get("id", ""))
            made = _call(transport, "POST", f"{base}/app/installations/{number}/access_tokens", jwt, deadline)
        finally:
            transport.close()
        latest = now + timedelta(seconds=self._max_age_s) + LEEWAY
        return _Token(Secret(str(made.get("token", ""))), min(_expiry(made, latest), latest))


def _cache_key(app: GitHubApp, remote: GitRemote) -> str:
    scope = app.installation_id or remote.path.lower()
    parts = [app.private_key.reveal(), app.app_id, scope, app.base_url]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _owner_and_name(remote: GitRemote) -> str:
    return "/".join(remote.path.split("/")[:2])


def _call(transport: HttpTransport, method: str, url: str, jwt: Secret, deadline: Deadline) -> Mapping[str, Any]:
    headers = {"Authorization": f"Bearer {jwt.reveal()}", "Accept": "application/vnd.github+json"}
    try:
        with transport.open(HttpRequest(method, url, headers, is_repeatable=False), deadline) as exchange:
            status, body = exchange.status, exchange.read(cap_bytes=MAX_ANSWER_BYTES)
    except TransportError as error:
        raise _failed(url, error.text, is_retryable=True) from error
    if status not in (200, 201):
        said = cap_text(redact(body.decode("utf-8", "replace")))
        raise _failed(url, f"status {status} ({said})", is_retryable=status >= 500 or status == 429)
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise _failed(url, "the answer is no JSON", is_retryable=True) from error
    if not isinstance(answer, dict):
        raise _failed(url, "the answer is no object", is_retryable=True)
    return answer


def _expiry(answer: Mapping[str, Any], otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(answer.get("expires_at")))
    except ValueError:
        return otherwise


def _failed(url: str, what: str, *, is_retryable: bool) -> CredentialError:
    return CredentialError(
        f"a token for the GitHub App could not be had: {what}",
        where=url,
        hint="see the App's id, key and installation, and its address when it is not github.com",
        code="token_request_failed",
        retryable=is_retryable,
    )
