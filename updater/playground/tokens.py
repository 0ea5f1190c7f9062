"""The server's JSON Web Tokens: minted and checked with HS256 (``argocd-api.md`` 5.2 and 5.3; RFC 7515, RFC 7519)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from updater.playground.refusals import Refusal, unauthenticated

ISSUER = "argocd"
API_KEY = "apiKey"
LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Times are whole seconds of the Unix epoch; ``expires_at`` is None for "never"."""

    subject: str
    token_id: str
    issued_at: int
    expires_at: int | None = None
    issuer: str = ISSUER

    @property
    def account(self) -> str:
        """The account's name; empty for a project token."""
        return "" if self.is_project_token else self.subject.partition(":")[0]

    @property
    def capability(self) -> str:
        return self.subject.rpartition(":")[2]

    @property
    def is_project_token(self) -> bool:
        return self.subject.startswith("proj:")

    @property
    def rbac_subject(self) -> str:
        """The name policies speak of: the account, or ``proj:<project>:<role>``."""
        return self.subject if self.is_project_token else self.account


def mint(claims: Claims, key: bytes) -> str:
    """The signed token of these claims."""
    body: dict[str, Any] = {
        "iss": claims.issuer,
        "sub": claims.subject,
        "jti": claims.token_id,
        "iat": claims.issued_at,
        "nbf": claims.issued_at,
    }
    if claims.expires_at is not None:
        body["exp"] = claims.expires_at
    signed = f"{_encode_json({'alg': 'HS256', 'typ': 'JWT'})}.{_encode_json(body)}"
    return f"{signed}.{_signature(signed, key)}"


def read_claims(token: str) -> Claims:
    """The claims without any check; a ``Refusal`` with code Unauthenticated when this is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        raise _bad("token is malformed: token contains an invalid number of segments")
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        expires = body.get("exp")
        return Claims(body["sub"], body.get("jti", ""), int(body.get("iat", 0)), expires, body.get("iss", ""))
    except (binascii.Error, ValueError, KeyError, AttributeError) as error:
        raise _bad("token is malformed: could not decode the claims") from error


def verify(token: str, key: bytes, *, now_s: float) -> Claims:
    """The claims after the checks of issuer, signature and time, in the order of the server."""
    claims = read_claims(token)
    if claims.issuer != ISSUER:
        raise _bad("SSO is not configured")
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed, key).encode()):
        raise _bad("token signature is invalid: signature is invalid")
    if claims.expires_at is not None and now_s >= claims.expires_at:
        raise expired()
    if claims.issued_at > now_s:
        raise _bad("token has invalid claims: token is not valid yet")
    return claims


def expired() -> Refusal:
    return _bad("token has invalid claims: token is expired")


def _bad(reason: str) -> Refusal:
    return unauthenticated(f"invalid session: {reason}")


def _signature(signed: str, key: bytes) -> str:
    return _encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())


def _encode_json(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
