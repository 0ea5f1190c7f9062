"""What write-back needs from a forge: the requests of one repository, and a way to open it with its token.

A request asks to take a branch over (its head) into another one of the same repository (its base). Branches are short
names. Requests out of other repositories, forks that is, are never seen here: whoever made them is a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from updater.clock import Deadline
from updater.model.git_targets import GitTarget


@dataclass(frozen=True, slots=True)
class RequestText:
    """Title, one line, and body. Adapters cut both to what their forge takes."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that shall be opened."""

    head: str
    base: str
    text: RequestText
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that is open. ``number`` names it inside its repository, ``url`` is the page for people."""

    number: int
    url: str
    head: str
    base: str
    text: RequestText


class RequestForge(Protocol):
    """The requests of one repository, until one deadline. Not thread-safe. Everything raises ``ForgeError``."""

    def find_open(self, head: str, base: str) -> OpenRequest | None:
        """The open request from ``head`` into ``base``, None when there is none."""

    def list_open(self, base: str, prefix: str) -> tuple[OpenRequest, ...]:
        """Open requests into ``base`` whose head begins with ``prefix``."""

    def create(self, new: NewRequest) -> OpenRequest | None:
        """Open a request; None when the forge says that there is one already. Some forges label it in the same go."""

    def update(self, request: OpenRequest, text: RequestText) -> OpenRequest:
        """Give an open request another text; the same text is no call."""

    def label(self, request: OpenRequest, labels: Sequence[str]) -> tuple[str, ...]:
        """See to it that a request has these labels; returns those that it cannot have."""

    def close(self, request: OpenRequest, comment: str) -> None:
        """Say why, close the request without taking it over, and remove its head branch."""


class Forges(Protocol):
    """Opens repositories. Thread-safe."""

    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> AbstractContextManager[RequestForge]:
        """The repository of ``target``, which has ``pull_request`` settings; ``namespace`` is the Application's.

        Raises ``CredentialError`` (``pr_token_missing``, ``no_credentials``, ...) and ``ForgeError``
        (``pr_config_invalid``) before anything is sent to the forge.
        """
