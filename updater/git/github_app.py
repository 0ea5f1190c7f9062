"""Installation tokens of GitHub Apps (``write-back.md`` 4.7): one hour each, cached, made anew before they end.

API: "Authenticating as a GitHub App" and ``POST /app/installations/{id}/access_tokens`` of the GitHub REST API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from updater.clock import Clock, Deadline
from updater.git.material import GitHubApp
from updater.git.signed_tokens import sign_token
from updater.git.token_requests import LEEWAY, Token, TokenCache, cache_key, request_json, token_text
from updater.model.git_remotes import GitRemote
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport
from updater.transport.redaction import Secret

DEFAULT_URL = "https://api.github.com"
_VALID_S = 540
_SKEW_S = 60


class InstallationTokens:
    """Tokens of all Apps; thread-safe. ``max_age_s`` bounds their use, ``timeout_s`` one request."""

    def __init__(self, clock: Clock, *, max_age_s: float = 3600.0, timeout_s: float = 15.0) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        self._timeout_s = timeout_s
        self._cache = TokenCache(clock)

    def fetch(self, app: GitHubApp, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> Secret:
        """A token that may push to ``remote``.

        Raises ``CredentialError``: ``invalid_secret``, ``token_request_failed`` (retryable for 5xx and the network).
        """
        within = deadline.sooner(self._timeout_s)
        return self._cache.get(_key(app, remote), lambda: self._fetch(app, remote, http, within))

    def forget(self, app: GitHubApp, remote: GitRemote) -> bool:
        """Drop a token that was refused; True when there was one."""
        return self._cache.forget(_key(app, remote))

    def _fetch(self, app: GitHubApp, remote: GitRemote, http: HttpOptions, deadline: Deadline) -> Token:
        now = self._clock.now()
        issued_s = int(now.timestamp())
        claims = {"iss": app.app_id, "iat": issued_s - _SKEW_S, "exp": issued_s + _VALID_S}
        headers = {
            "Authorization": f"Bearer {sign_token(claims, app.private_key).reveal()}",
            "Accept": "application/vnd.github+json",
        }
        base = (app.base_url or DEFAULT_URL).rstrip("/")
        transport = HttpTransport(http, self._clock)
        try:
            number = app.installation_id
            if not number:
                owner_and_name = "/".join(remote.path.split("/")[:2])
                ask = HttpRequest("GET", f"{base}/repos/{owner_and_name}/installation", headers)
                number = str(request_json(transport, ask, deadline).get("id", ""))
            url = f"{base}/app/installations/{number}/access_tokens"
            made = request_json(transport, HttpRequest("POST", url, headers, is_repeatable=False), deadline)
        finally:
            transport.close()
        latest = now + timedelta(seconds=self._max_age_s) + LEEWAY
        return Token(token_text(made, "token", url), min(_expiry(made, latest), latest))


def _key(app: GitHubApp, remote: GitRemote) -> str:
    scope = app.installation_id or remote.path.lower()
    return cache_key(app.private_key.reveal(), app.app_id, scope, app.base_url)


def _expiry(answer: Mapping[str, Any], otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(answer.get("expires_at")))
    except ValueError:
        return otherwise
    return found if found.tzinfo is not None else otherwise
