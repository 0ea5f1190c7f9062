"""From a credential source to a user and a password.

Rules: ``registries.md`` 2.1, 2.2, 2.8. ``env`` is read here; the other types are recognised and refused with their
name until the part that reads them exists.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource, SourceType, UnusableSource
from updater.transport.redaction import Secret

ANONYMOUS_ID = "anonymous"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password out of one source; both are non-empty."""

    user: str
    password: Secret

    def basic_authorization(self) -> str:
        """The value of a Basic Authorization header; from bytes, because passwords are UTF-8 and not Latin-1."""
        pair = f"{self.user}:{self.password.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


class CredentialReader:
    """Reads credentials from the places that sources name. Thread-safe."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def read(self, source: CredentialSource | UnusableSource | None) -> Credentials | None:
        """The credentials, None without a source; raises ``CredentialError``."""
        match source:
            case None:
                return None
            case UnusableSource(problem=problem):
                raise CredentialError(problem, code="credentials_invalid")
            case CredentialSource(type=SourceType.ENV, value=variable):
                return self._read_variable(variable)
            case CredentialSource():
                raise CredentialError(
                    f"credentials of type {source.type.value!r} are not available in this version",
                    where=str(source),
                    hint="use env:<variable> with user:password as its value",
                    code="credentials_type_unavailable",
                )

    def _read_variable(self, variable: str) -> Credentials:
        text = self._environment.get(variable, "")
        if not text:
            raise CredentialError(
                "the environment variable is not set",
                where=f"env:{variable}",
                hint="set it to user:password",
                code="credentials_env_unset",
            )
        return parse_user_and_password(text, where=f"env:{variable}")


class CredentialIds:
    """Names credentials in cache keys without holding them: a hash under a key that this process made up.

    128 bits of HMAC-SHA256 (``registries.md`` 5.3).
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def id_of(self, credentials: Credentials | None) -> str:
        """The same text for the same pair during one life of the process."""
        if credentials is None:
            return ANONYMOUS_ID
        pair = f"{credentials.user}:{credentials.password.reveal()}".encode()
        return hmac.new(self._key, pair, hashlib.sha256).hexdigest()[:32]


def parse_user_and_password(text: str, *, where: str) -> Credentials:
    """``user:password``, split at the first colon; raises ``CredentialError`` when a half is missing."""
    user, _, password = text.partition(":")
    if not user or not password:
        raise CredentialError(
            "the value is not user:password", where=where, hint="both halves are needed", code="credentials_malformed"
        )
    return Credentials(user, Secret(password))
