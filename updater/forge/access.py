"""The token of one repository, and the header that each forge wants it in (``write-back.md`` 6.5 and 6.6)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from updater.clock import Deadline
from updater.model.git_targets import GitTarget
from updater.model.pull_requests import ForgeProvider
from updater.transport.http import HttpOptions
from updater.transport.redaction import Secret

_TOKEN_USERS = frozenset(("", "x-token-auth", "x-bitbucket-api-token-auth", "x-access-token"))
"""User names beside which Bitbucket's Git takes an access token; other names are accounts with an app password."""


class TokenKind(Enum):
    """What sort of token it is: the same text travels in different headers."""

    PASSWORD = "password"  # noqa: S105 - a word, not a password
    """The password of HTTPS, which is an access token at all forges of today, or an app password."""
    BEARER = "bearer"
    """A token that Git sends in a header, for example one of OAuth or of Azure's identities."""
    INSTALLATION = "installation"
    """Of a GitHub App."""
    SCM = "scm"
    """The field ``scmToken`` beside an SSH key: an access token."""


@dataclass(frozen=True, slots=True)
class ForgeAccess:
    """Who we are, and how connections are made: the same proxies, authorities and trust as those of Git."""

    kind: TokenKind
    token: Secret
    username: str = ""
    http: HttpOptions = field(default_factory=HttpOptions)


class ForgeAccessSource(Protocol):
    """Finds the token of a repository and keeps what it needs alive for the time of a ``with`` block."""

    def open(
        self, target: GitTarget, namespace: str, host: str, deadline: Deadline
    ) -> AbstractContextManager[ForgeAccess]:
        """``namespace`` is the Application's, ``host`` the API's. Raises ``CredentialError`` (``pr_token_missing``)."""

    def reject(self, target: GitTarget, namespace: str) -> bool:
        """The forge refused the token: forget it where it is cached. True when a new attempt may go better."""


def authorization(provider: ForgeProvider, access: ForgeAccess) -> Mapping[str, str]:
    """The header that carries the token."""
    token = access.token.reveal()
    is_bearer = access.kind is TokenKind.BEARER
    match provider:
        case ForgeProvider.GITLAB if not is_bearer:
            return {"PRIVATE-TOKEN": token}
        case ForgeProvider.GITEA | ForgeProvider.FORGEJO:
            return {"Authorization": f"token {token}"}
        case ForgeProvider.BITBUCKET if access.kind is TokenKind.PASSWORD and access.username not in _TOKEN_USERS:
            return {"Authorization": _basic(access.username, token)}
        case ForgeProvider.AZURE_DEVOPS if not is_bearer:
            return {"Authorization": _basic("", token)}
        case _:
            return {"Authorization": f"Bearer {token}"}


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
