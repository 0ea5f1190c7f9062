"""Azure Container Registry: an Entra token, exchanged at the registry for a refresh token.

Rules: ``registries.md`` 2.1 and 3.13; "Azure Container Registry authentication", ``POST /oauth2/exchange`` with
``grant_type=access_token``. The refresh token then takes the OAuth2 flow, with the user that Azure prescribes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource
from updater.registry.credential_values import CredentialKind, CredentialNeed, Credentials, Lease
from updater.registry.identity.libraries import (
    BROKEN_ANSWERS,
    CONNECT_S,
    READ_S,
    identity_failed,
    lifetime_s,
    load_library,
)
from updater.transport.errors import TransportError
from updater.transport.http import HttpOptions, HttpRequest, HttpTransport
from updater.transport.redaction import Secret

EXTRA = "acr"
USER = "00000000-0000-0000-0000-000000000000"
TOKEN_S = 3600.0
"""Believed of a refresh token that does not say; they hold for three hours."""
MAX_ANSWER_BYTES = 64 * 1024
_SCOPE = "https://containerregistry.azure.net/.default"
_HINT = "check the Azure identity of this process and its role AcrPull on the registry"


class AcrFetcher:
    """Fetches refresh tokens. Thread-safe: every fetch has objects of its own."""

    def __init__(self, http: HttpOptions, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """The registry too: it issues the token."""
        return source, need.api_url, need.tls, need.expire_s

    def fetch(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Lease[Credentials]:
        """A refresh token of the registry; raises ``CredentialError``."""
        where = str(source)
        token = self._exchange(need, _entra_token(source), deadline, where)
        expires_at = _expiry(token)
        life_s = lifetime_s(expires_at, self._clock.now(), need.expire_s, default_s=TOKEN_S)
        return Lease(Credentials(USER, Secret(token), CredentialKind.IDENTITY_TOKEN), life_s)

    def select(self, value: Credentials, need: CredentialNeed) -> Credentials:
        """The token itself."""
        del need
        return value

    def _exchange(self, need: CredentialNeed, entra_token: str, deadline: Deadline, where: str) -> str:
        form = {"grant_type": "access_token", "service": need.api_host, "access_token": entra_token}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = HttpRequest("POST", f"{need.api_url}/oauth2/exchange", headers, urlencode(form).encode("ascii"))
        transport = HttpTransport(replace(self._http, tls=need.tls), self._clock)
        try:
            with transport.open(request, deadline) as exchange:
                status = exchange.status
                body = exchange.read(cap_bytes=MAX_ANSWER_BYTES)
        except TransportError as error:
            what = f"the registry does not exchange the token: {error.text}"
            raise CredentialError(what, where=where, code="identity_failed", retryable=True) from error
        finally:
            transport.close()
        if status != 200:
            what = f"the registry does not exchange the token: HTTP {status}"
            raise CredentialError(what, where=where, hint=_HINT, code="identity_failed", retryable=status >= 500)
        return _refresh_token(body, where)


def _entra_token(source: CredentialSource) -> str:
    """The token of this process for registries, through Azure's own order of places."""
    where = str(source)
    identity = load_library("azure.identity", EXTRA, where)
    failures = load_library("azure.core.exceptions", EXTRA, where)
    chosen = {} if source.value == "default" else {"managed_identity_client_id": source.value}
    try:
        with identity.DefaultAzureCredential(
            **chosen,
            exclude_shared_token_cache_credential=True,
            exclude_visual_studio_code_credential=True,
            exclude_powershell_credential=True,
            exclude_developer_cli_credential=True,
            exclude_broker_credential=True,
            process_timeout=int(READ_S),
            connection_timeout=CONNECT_S,
            read_timeout=READ_S,
        ) as credential:
            token: str = credential.get_token(_SCOPE).token
    except (failures.AzureError, *BROKEN_ANSWERS) as error:
        raise identity_failed("Azure gives no token", error, where=where, hint=_HINT) from None
    return token


def _refresh_token(body: bytes, where: str) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # Without the cause, which holds the body.
        document = None
    token = document.get("refresh_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        what = "the answer of the registry holds no refresh token"
        raise CredentialError(what, where=where, hint=_HINT, code="identity_failed")
    return token


def _expiry(token: str) -> datetime | None:
    """When a JWT ends by its own word; None for anything else. The signature is the registry's business."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        # Not a JWT, or one without an end: the token is opaque then.
        return None
