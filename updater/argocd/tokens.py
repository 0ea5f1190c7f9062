"""Bearer tokens: where they come from, how they are cleaned, when they expire (``argocd-api.md`` 5).

The token is opaque to us except for ``exp`` and ``sub``, which serve diagnostics only and are never trusted.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from updater.errors import ConfigurationError
from updater.transport.redaction import Secret

MAX_TOKEN_BYTES = 64 * 1024
"""A header of the server's HTTP library may take about 1 MB; real tokens stay below 8 KiB."""

EXPIRY_WARNING = timedelta(days=7)


class TokenSource(Protocol):
    """Gives the token for the next call. Thread-safe."""

    def current(self) -> Secret:
        """The token, empty when there is none. Raises ``ConfigurationError`` when its file cannot be used."""

    def renewed(self, used: Secret) -> bool:
        """Look again after ``used`` was refused: True when another token is there now."""


class StaticToken:
    """A token from a variable or flag; it stays what it was at start."""

    def __init__(self, text: str, origin: str) -> None:
        self._token = clean_token(text, origin)

    def current(self) -> Secret:
        return self._token

    def renewed(self, used: Secret) -> bool:
        return self._token != used


class FileToken:
    """A token in a file, read again when the file changes: mounted Secrets are rotated under a running process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._token = Secret("")

    def current(self) -> Secret:
        with self._lock:
            return self._read(force=False)

    def renewed(self, used: Secret) -> bool:
        with self._lock:
            return self._read(force=True) != used

    def _read(self, *, force: bool) -> Secret:
        try:
            with self._path.open("rb") as file:
                state = os.fstat(file.fileno())
                seen = (state.st_ino, state.st_mtime_ns, state.st_size)
                if force or seen != self._seen:
                    text = file.read(MAX_TOKEN_BYTES + 1).decode("utf-8", "replace")
                    self._token = clean_token(text, f"the token file {self._path}")
                    self._seen = seen
        except OSError as error:
            raise ConfigurationError(
                f"the token file cannot be read: {error.strerror}",
                where=str(self._path),
                hint="check --argocd-auth-token-file and the file's permissions",
                code="token_unreadable",
            ) from error
        return self._token


def clean_token(text: str, origin: str) -> Secret:
    """The token without what gets pasted around it: blanks, a newline, quotes, a ``Bearer`` prefix.

    Raises ``ConfigurationError`` when what is left cannot be a header value; the token itself is never shown.
    """
    token = text.strip()
    if len(token) > 1 and token[0] == token[-1] and token[0] in "\"'":
        token = token[1:-1].strip()
    if token[:7].lower() == "bearer ":
        token = token[7:].strip()
    if len(token) > MAX_TOKEN_BYTES or any(not "!" <= character <= "~" for character in token):
        raise ConfigurationError(
            "the Argo CD token is not one word of printable characters",
            where=origin,
            hint="give the token alone, as 'argocd account generate-token' prints it",
            code="bad_token",
        )
    return Secret(token)


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says of itself. ``expires`` is None for a token without an end; ``is_jwt`` False for other texts."""

    is_jwt: bool = False
    subject: str = ""
    expires: datetime | None = None


def read_claims(token: Secret) -> TokenClaims:
    """The claims of a JWT, unverified; anything unreadable counts as absent."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return TokenClaims()
    try:
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(payload))
    except (ValueError, binascii.Error, RecursionError):
        return TokenClaims()
    if not isinstance(claims, dict):
        return TokenClaims()
    subject = claims.get("sub")
    return TokenClaims(True, subject if isinstance(subject, str) else "", _moment(claims.get("exp")))


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def expiry_warning(claims: TokenClaims, now: datetime) -> str:
    """One line when the token has expired or soon will, empty otherwise."""
    if claims.expires is None:
        return ""
    moment = claims.expires.strftime("%Y-%m-%d %H:%M UTC")
    if claims.expires <= now:
        return f"the Argo CD token expired on {moment}"
    if claims.expires - now < EXPIRY_WARNING:
        kind = "; it is a login session's, use an API key" if claims.subject.endswith(":login") else ""
        return f"the Argo CD token expires on {moment}{kind}"
    return ""
