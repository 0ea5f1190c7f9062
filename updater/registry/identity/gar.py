"""Google Artifact Registry and Container Registry: an access token, sent with the user ``oauth2accesstoken``.

Rules: ``registries.md`` 2.1 and 3.13. ``default`` is Google's own order of places (variable, gcloud, metadata service,
workload identity); a path names a service-account file.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource
from updater.registry.credential_values import CredentialNeed, Credentials, Lease
from updater.registry.identity.libraries import BROKEN_ANSWERS, READ_S, identity_failed, lifetime_s, load_library
from updater.transport.redaction import Secret

EXTRA = "gar"
USER = "oauth2accesstoken"
TOKEN_S = 1800.0
"""Believed of a token that names no end; they hold for an hour."""
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_HINT = "check the Google identity of this process and its right to read the repository"


class GarFetcher:
    """Fetches access tokens. Thread-safe: every fetch has objects of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def key(self, source: CredentialSource, need: CredentialNeed) -> Hashable:
        """The identity; a token is good for every registry of Google's."""
        return source, need.expire_s

    def fetch(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Lease[Credentials]:
        """The token of the identity; raises ``CredentialError``."""
        where = str(source)
        failures = load_library("google.auth.exceptions", EXTRA, where)
        transport = load_library("google.auth.transport.requests", EXTRA, where)
        request = partial(transport.Request(), timeout=min(READ_S, max(1.0, deadline.remaining_s())))
        try:
            identity = _identity(source, request)
            identity.refresh(request)
        except (failures.GoogleAuthError, *BROKEN_ANSWERS) as error:
            raise identity_failed("Google gives no access token", error, where=where, hint=_HINT) from None
        if not isinstance(identity.token, str) or not identity.token:
            raise CredentialError(
                "the answer of Google holds no token", where=where, hint=_HINT, code="identity_failed"
            )
        life_s = lifetime_s(identity.expiry, self._clock.now(), need.expire_s, default_s=TOKEN_S)
        return Lease(Credentials(USER, Secret(identity.token)), life_s)

    def select(self, value: Credentials, need: CredentialNeed) -> Credentials:
        """The token itself."""
        del need
        return value


def _identity(source: CredentialSource, request: Any) -> Any:
    if source.value == "default":
        identity, _ = load_library("google.auth", EXTRA, str(source)).default(scopes=_SCOPES, request=request)
        return identity
    accounts = load_library("google.oauth2.service_account", EXTRA, str(source))
    return accounts.Credentials.from_service_account_file(source.value, scopes=_SCOPES)
