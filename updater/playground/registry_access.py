"""Who may do what at the playground's registry: anonymous, Basic, or Bearer with tokens that it issues itself.

Tokens carry the scopes they were asked for (``repository:<name>:<actions>``), as the token authentication documents
of the distribution project describe them. Not thread-safe: its owner locks.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qs

from updater.playground.registry_http import HttpAnswer, HttpAsked

SERVICE = "playground"
TOKEN_PATH = "/token"  # noqa: S105 - a path


class AccessMode(Enum):
    """How the registry tells its callers apart."""

    ANONYMOUS = "anonymous"
    BASIC = "basic"
    BEARER = "bearer"


@dataclass(slots=True)
class RegistryAccess:
    """The rules in force and the tokens in circulation.

    ``user`` empty in Bearer mode means that anybody gets a token, as at registries with public images.
    ``identity_token`` is traded for tokens in the OAuth2 flow, which a service without ``has_oauth2`` does not know.
    ``trusts_nobody`` hands out tokens without access for wrong credentials instead of refusing them, as some do.
    """

    mode: AccessMode = AccessMode.ANONYMOUS
    user: str = ""
    password: str = field(default="", repr=False)
    token_lifetime_s: int = 300
    trusts_nobody: bool = False
    identity_token: str = field(default="", repr=False)
    has_oauth2: bool = True
    issued: int = 0
    _tokens: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def admit(self, token: str, repository: str) -> None:
        """Take this token for pulling from a repository."""
        self._tokens[token] = frozenset({f"repository:{repository}:pull"})

    def challenge(self, asked: HttpAsked, repository: str, address: str) -> str:
        """The WWW-Authenticate line that this request earns; empty when it may pass."""
        action = "pull" if asked.method in {"GET", "HEAD"} else "push"
        authorization = asked.headers.get("Authorization", "")
        if self.mode is AccessMode.ANONYMOUS:
            return ""
        if self.mode is AccessMode.BASIC:
            return "" if self._is_the_user(authorization) else 'Basic realm="playground"'
        if self._may(authorization, repository, action):
            return ""
        line = f'Bearer realm="{address}{TOKEN_PATH}",service="{SERVICE}"'
        line = f'{line},scope="repository:{repository}:{action}"' if repository else line
        return f'{line},error="invalid_token"' if authorization else line

    def issue(self, asked: HttpAsked) -> HttpAnswer:
        """The answer of the token endpoint to a GET, or to a POST with the password or the refresh-token grant."""
        if asked.method == "POST" and not self.has_oauth2:
            return _refuse(405, "UNSUPPORTED", "only GET is allowed")
        fields = parse_qs(asked.query if asked.method == "GET" else asked.body.decode("utf-8"))
        scopes = frozenset(scope for text in fields.get("scope", []) for scope in text.split())
        if not self._is_welcome(asked, fields):
            if not self.trusts_nobody:
                return _refuse(401, "UNAUTHORIZED", "incorrect username or password")
            scopes = frozenset()
        self.issued += 1
        token = f"token-{self.issued}"
        self._tokens[token] = scopes
        body = json.dumps({"token": token, "access_token": token, "expires_in": self.token_lifetime_s})
        return HttpAnswer(200, {"Content-Type": "application/json"}, body.encode())

    def _is_welcome(self, asked: HttpAsked, fields: dict[str, list[str]]) -> bool:
        if not self.user:
            return True
        if asked.method == "POST" and fields.get("grant_type") == ["refresh_token"]:
            return bool(fields.get("client_id")) and fields.get("refresh_token") == [self.identity_token]
        if asked.method == "POST":
            return fields.get("username") == [self.user] and fields.get("password") == [self.password]
        return self._is_the_user(asked.headers.get("Authorization", ""))

    def _is_the_user(self, authorization: str) -> bool:
        scheme, _, text = authorization.partition(" ")
        try:
            pair = base64.b64decode(text, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and pair == f"{self.user}:{self.password}"

    def _may(self, authorization: str, repository: str, action: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        scopes = self._tokens.get(token)
        if scheme.lower() != "bearer" or scopes is None:
            return False
        if not repository:
            return True
        allowed = {scope.rpartition(":")[2] for scope in scopes if scope.startswith(f"repository:{repository}:")}
        return action in {one for actions in allowed for one in actions.split(",")}


def _refuse(status: int, code: str, message: str) -> HttpAnswer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return HttpAnswer(status, {"Content-Type": "application/json"}, body)
