"""Requests to take a branch over, by whatever name a forge has for them: who serves them, and what is wanted of them.

Words and values: ``write-back.md`` 6.1 and 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ForgeProvider(Enum):
    """The forges that are spoken to; the value is the word in annotations, documents, flags and metrics."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    BITBUCKET = "bitbucket"
    BITBUCKET_SERVER = "bitbucket-server"
    AZURE_DEVOPS = "azuredevops"


class PullRequestMode(Enum):
    """What a newer version does while a request is open."""

    PER_CHANGE = "per-change"
    """Every set of changes has a branch and a request of its own."""
    ROLLING = "rolling"
    """One request for each target, which is made anew in its place."""


@dataclass(frozen=True, slots=True)
class PullRequestSettings:
    """What an owner wants. ``labels`` keep their order and have no repeats.

    ``names_own_branches`` is False when the owner wrote a template for the head branch: what else stands under such
    names is not known, so nothing of it is reset or closed.
    """

    provider: ForgeProvider
    mode: PullRequestMode = PullRequestMode.PER_CHANGE
    labels: tuple[str, ...] = ()
    names_own_branches: bool = True

    @property
    def is_rolling(self) -> bool:
        return self.mode is PullRequestMode.ROLLING
