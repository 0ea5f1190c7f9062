"""What one batch adds to git's environment and configuration to reach its remote."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from updater.clock import Deadline
from updater.model.git_targets import GitTarget
from updater.transport.http import HttpOptions
from updater.transport.redaction import Secret

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GitHubApi:
    """The API of GitHub as an App may use it: its address, a token for one repository, how connections are made."""

    base_url: str
    token: Secret
    http: HttpOptions


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """``environment`` holds credentials or the way to them and stays out of the repr.

    ``api`` is there for the credentials of a GitHub App.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    configuration: tuple[str, ...] = ()
    api: GitHubApi | None = None


class AccessSource(Protocol):
    """Finds credentials and makes them usable for git for the time of a ``with`` block."""

    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> AbstractContextManager[RemoteAccess]:
        """``namespace`` is the Application's. Raises ``GitError``, ``CredentialError``."""

    def reject(self, target: GitTarget, namespace: str) -> bool:
        """The remote refused the credentials: forget cached tokens. True when a new attempt may go better."""
