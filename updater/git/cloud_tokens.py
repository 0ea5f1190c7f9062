"""Tokens of Google and Azure for their Git services (``write-back.md`` 4.7), by OAuth 2.0 requests.

Google: a service account's key signs an assertion (RFC 7523); the token is the password of the account's mail address.
Azure: a service principal shows its secret, a workload identity the token that the platform keeps in a file; the token
goes out as a bearer header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.git.material import AzurePrincipal
from updater.git.signed_tokens import sign_token
from updater.git.token_requests import Token, TokenCache, cache_key, form_request, request_json, token_text
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport
from updater.transport.redaction import Secret

GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AZURE_SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""The application id of Azure DevOps."""
AZURE_ENDPOINT = "https://login.microsoftonline.com"
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_VALID_S = 3600
_DEFAULT_LIFE_S = 600.0


@dataclass(frozen=True, slots=True)
class CloudRequest:
    """How to ask: connections, the process's environment, and until when."""

    http: HttpOptions
    deadline: Deadline
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class CloudTokens:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cache = TokenCache(clock)

    def google_login(self, key: Secret, request: CloudRequest) -> tuple[str, Secret]:
        """User name and token; raises ``CredentialError`` (``invalid_secret``, ``token_request_failed``)."""
        mail, private_key, url = _google_account(key)
        issued_s = int(self._clock.now().timestamp())
        claims = {"iss": mail, "scope": GOOGLE_SCOPE, "aud": url, "iat": issued_s, "exp": issued_s + _VALID_S}

        def fetch() -> Token:
            fields = {"grant_type": _JWT_BEARER, "assertion": sign_token(claims, private_key).reveal()}
            return self._fetch(form_request(url, fields), request)

        return mail, self._cache.get(cache_key(key.reveal()), fetch)

    def azure_token(self, principal: AzurePrincipal, request: CloudRequest) -> Secret:
        """A bearer token; raises ``CredentialError`` (``invalid_secret``, ``token_request_failed``)."""
        environment = request.environment
        url, client = _azure_address(principal, environment)

        def fetch() -> Token:
            fields = {"grant_type": "client_credentials", "client_id": client, "scope": AZURE_SCOPE}
            return self._fetch(form_request(url, {**fields, **_azure_proof(principal, environment)}), request)

        return self._cache.get(_azure_key(principal, environment), fetch)

    def forget_google(self, key: Secret) -> bool:
        """Drop a token that was refused; True when there was one."""
        return self._cache.forget(cache_key(key.reveal()))

    def forget_azure(self, principal: AzurePrincipal, environment: Mapping[str, str]) -> bool:
        """Drop a token that was refused; True when there was one."""
        return self._cache.forget(_azure_key(principal, environment))

    def _fetch(self, form: HttpRequest, request: CloudRequest) -> Token:
        now = self._clock.now()
        transport = HttpTransport(request.http, self._clock)
        try:
            answer = request_json(transport, form, request.deadline)
        finally:
            transport.close()
        return Token(token_text(answer, "access_token", form.url), now + timedelta(seconds=_life_s(answer)))


def _life_s(answer: Mapping[str, Any]) -> float:
    try:
        return min(float(answer.get("expires_in", _DEFAULT_LIFE_S)), 86_400.0)
    except (TypeError, ValueError):
        return _DEFAULT_LIFE_S


def _google_account(key: Secret) -> tuple[str, Secret, str]:
    try:
        account = json.loads(key.reveal())
        found = tuple(str(account[name]) for name in ("client_email", "private_key", "token_uri"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _invalid("the key of the Google service account is no key file in JSON") from error
    mail, private_key, url = found
    if not url.startswith("https://"):
        raise _invalid("the key of the Google service account names no https address for tokens")
    return mail, Secret(private_key), url


def _azure_address(principal: AzurePrincipal, environment: Mapping[str, str]) -> tuple[str, str]:
    """Where tokens are handed out, and to which client."""
    tenant = principal.tenant or environment.get("AZURE_TENANT_ID", "")
    client = principal.client or environment.get("AZURE_CLIENT_ID", "")
    base = principal.endpoint or environment.get("AZURE_AUTHORITY_HOST", "") or AZURE_ENDPOINT
    if not tenant or not client:
        raise _invalid("the tenant or the client id of Azure is missing")
    return f"{base.rstrip('/')}/{tenant}/oauth2/v2.0/token", client


def _azure_key(principal: AzurePrincipal, environment: Mapping[str, str]) -> str:
    return cache_key(*_azure_address(principal, environment), principal.client_secret.reveal())


def _azure_proof(principal: AzurePrincipal, environment: Mapping[str, str]) -> dict[str, str]:
    if principal.client_secret:
        return {"client_secret": principal.client_secret.reveal()}
    path = environment.get("AZURE_FEDERATED_TOKEN_FILE", "")
    try:
        assertion = Path(path).read_text(encoding="ascii").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid("the token file of the Azure workload identity cannot be read") from error
    if not assertion:
        raise _invalid("there is no token file of an Azure workload identity; see AZURE_FEDERATED_TOKEN_FILE")
    return {"client_assertion_type": _JWT_ASSERTION, "client_assertion": assertion}


def _invalid(what: str) -> CredentialError:
    return CredentialError(what, code="invalid_secret")
