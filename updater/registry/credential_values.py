"""Credentials as values: what was read, what it is wanted for, and names for it that hold no secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from updater.clock import Deadline
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource, UnusableSource
from updater.transport.redaction import Secret
from updater.transport.trust import TlsOptions

ANONYMOUS_ID = "anonymous"

V = TypeVar("V")


class CredentialKind(Enum):
    """What the secret half is good for."""

    PASSWORD = "password"  # noqa: S105 - the name of the kind
    """Sent as Basic to the registry or to its token service."""
    IDENTITY_TOKEN = "identity token"  # noqa: S105 - the name of the kind
    """A refresh token: traded at the token service in the OAuth2 flow (``registries.md`` 3.4)."""
    REGISTRY_TOKEN = "registry token"  # noqa: S105 - the name of the kind
    """A bearer token: sent to the registry as it is."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a secret out of one source. The secret is never empty; only tokens come without a user."""

    user: str
    password: Secret
    kind: CredentialKind = CredentialKind.PASSWORD

    def basic_authorization(self) -> str:
        """The value of a Basic Authorization header; from bytes, because passwords are UTF-8 and not Latin-1."""
        pair = f"{self.user}:{self.password.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class CredentialNeed:
    """Which credentials are wanted, and for what: the API they go to, the repository, and how long they may be kept.

    ``expire_s`` is ``credsexpire`` of the endpoint, zero when it sets none. ``tls`` are the endpoint's own TLS
    inputs, for sources that talk to the registry themselves.
    """

    source: CredentialSource | UnusableSource | None
    api_url: str = ""
    repository: str = ""
    expire_s: float = 0.0
    tls: TlsOptions = field(default_factory=TlsOptions)

    @property
    def api_host(self) -> str:
        """Host and port of the API as they are in its URL, lower case."""
        return urlsplit(self.api_url).netloc.lower()


@dataclass(frozen=True, slots=True)
class Lease(Generic[V]):
    """What was fetched and how long it may be used, in seconds from now; None is until the process ends."""

    value: V
    lifetime_s: float | None = None


class SourceReader(Protocol):
    """Credentials of one type of source. Thread-safe."""

    def read(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """The credentials, kept ones if they may still be used; raises ``CredentialError``."""

    def renew(self, source: CredentialSource, need: CredentialNeed, deadline: Deadline) -> Credentials:
        """The credentials after a look at the source itself; raises ``CredentialError``."""


class CredentialIds:
    """Names credentials in cache keys without holding them: a hash under a key that this process made up.

    128 bits of HMAC-SHA256 (``registries.md`` 5.3).
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def id_of(self, credentials: Credentials | None) -> str:
        """The same text for the same credentials during one life of the process."""
        if credentials is None:
            return ANONYMOUS_ID
        text = f"{credentials.kind.value}:{credentials.user}:{credentials.password.reveal()}"
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def parse_user_and_password(text: str, *, where: str) -> Credentials:
    """``user:password``, split at the first colon; raises ``CredentialError`` when a half is missing."""
    user, _, password = text.partition(":")
    if not user or not password:
        raise CredentialError(
            "the value is not user:password", where=where, hint="both halves are needed", code="credentials_malformed"
        )
    return Credentials(user, Secret(password))
