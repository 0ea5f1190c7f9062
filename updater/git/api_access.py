"""The credentials of a repository as its forge's API takes them: a token, and how to connect.

What it is and which header it belongs in is told by its sort; who sends it stands above this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from updater.errors import CredentialError
from updater.git.material import AuthKind, Material
from updater.model.git_remotes import GitRemote
from updater.transport.http import HttpOptions
from updater.transport.redaction import Secret

API_KINDS = frozenset(
    (
        AuthKind.BASIC,
        AuthKind.BEARER,
        AuthKind.GITHUB_APP,
        AuthKind.AZURE_WORKLOAD_IDENTITY,
        AuthKind.AZURE_SERVICE_PRINCIPAL,
    )
)
"""Credentials for Git over HTTPS that an API takes as well; Google's Git service has no pull requests."""


class ApiTokenSort(Enum):
    """Where a token comes from."""

    PASSWORD = "password"  # noqa: S105 - a word, not a password
    BEARER = "bearer"
    INSTALLATION = "installation"
    SCM = "scm"


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """``username`` is empty where none goes with the token."""

    sort: ApiTokenSort
    token: Secret
    http: HttpOptions
    username: str = ""


def check_api_kind(remote: GitRemote, kind: AuthKind, material: Material) -> None:
    """Raises ``CredentialError`` ``pr_token_missing`` when no part of it is a token (``write-back.md`` 6.6)."""
    if material.scm_token or kind in API_KINDS:
        return
    raise CredentialError(
        "the credentials for this repository hold no token for pull requests",
        where=str(remote),
        hint="add scmToken beside the SSH key, or give credentials for HTTPS",
        code="pr_token_missing",
    )
