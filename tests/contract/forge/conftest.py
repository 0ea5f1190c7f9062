"""Every provider with a fake of its API, and the way a test opens one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from tests.contract.forge.fakes.azure_devops import FakeAzureDevOps
from tests.contract.forge.fakes.bitbucket import FakeBitbucket
from tests.contract.forge.fakes.bitbucket_server import FakeBitbucketServer
from tests.contract.forge.fakes.gitea import FakeGitea
from tests.contract.forge.fakes.github import FakeGitHub
from tests.contract.forge.fakes.gitlab import FakeGitLab
from tests.contract.forge.fakes.server import FakeForge, ForgeServer
from tests.contract.forge.fakes.world import TOKEN, World
from updater.clock import Backoff, Deadline, SystemClock
from updater.forge.access import ForgeAccess, TokenKind
from updater.forge.calls import CallOptions
from updater.forge.client import ForgeClients, ForgeOptions
from updater.forge.places import parse_api_url
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.model.pull_requests import ForgeProvider, PullRequestSettings
from updater.ports.forge import RequestForge
from updater.ports.log import EventLog, NullLog
from updater.transport.redaction import Secret


@dataclass(frozen=True)
class Case:
    """A provider, its fake, and the path of the one repository; ``api`` is a root that has to be named."""

    provider: ForgeProvider
    fake: Callable[[World], FakeForge]
    path: str = "acme/deploy.git"
    owner: str = "acme"
    api: str | None = None
    has_labels: bool = True
    body_limit: int = 65_536


CASES = (
    Case(ForgeProvider.GITHUB, FakeGitHub),
    Case(ForgeProvider.GITLAB, FakeGitLab, "acme/team/deploy.git", "acme/team"),
    Case(ForgeProvider.GITEA, FakeGitea),
    Case(ForgeProvider.FORGEJO, FakeGitea),
    Case(ForgeProvider.BITBUCKET, FakeBitbucket, api="/2.0", has_labels=False, body_limit=32_768),
    Case(
        ForgeProvider.BITBUCKET_SERVER, FakeBitbucketServer, "scm/acme/deploy.git", has_labels=False, body_limit=32_768
    ),
    Case(ForgeProvider.AZURE_DEVOPS, FakeAzureDevOps, "acme/shop/_git/deploy", api="", body_limit=4_000),
)


class GivenAccess:
    """Access with one token, and a list of who was told that it was refused."""

    def __init__(self, access: ForgeAccess) -> None:
        self.access = access
        self.rejected = 0

    @contextmanager
    def open(self, target: GitTarget, namespace: str, host: str, deadline: Deadline) -> Iterator[ForgeAccess]:
        yield self.access

    def reject(self, target: GitTarget, namespace: str) -> bool:
        self.rejected += 1
        return True


class ForgeBench:
    """One provider's client and the server it talks to."""

    def __init__(self, case: Case, server: ForgeServer) -> None:
        self.case = case
        self.server = server
        self.fake = server.forge
        self.world = server.forge.world
        self.clock = SystemClock()
        self.access = GivenAccess(ForgeAccess(TokenKind.PASSWORD, Secret(TOKEN)))
        self.url = f"{server.url}/{case.path}"

    @contextmanager
    def open(self, *, within_s: float = 20.0, log: EventLog | None = None, attempts: int = 3) -> Iterator[RequestForge]:
        options = CallOptions(timeout_s=5.0, backoff=Backoff(attempts, 0.01, 0.02))
        urls = () if self.case.api is None else (f"{self.case.provider.value}={self.server.url}{self.case.api}",)
        parsed = tuple(parse_api_url(url, allows_http=True) for url in urls)
        clients = ForgeClients(self.access, ForgeOptions(parsed, options), self.clock, log or NullLog())
        remote = parse_git_remote(self.url)
        target = GitTarget(remote, "values.yaml", pull_request=PullRequestSettings(self.case.provider))
        try:
            with clients.open(target, "argocd", Deadline.after(self.clock, within_s)) as forge:
                yield forge
        finally:
            clients.close()

    def with_token(self, kind: TokenKind, username: str = "", token: str = TOKEN) -> None:
        self.access.access = replace(self.access.access, kind=kind, username=username, token=Secret(token))


@pytest.fixture(params=CASES, ids=lambda case: case.provider.value)
def bench(request: pytest.FixtureRequest) -> Iterator[ForgeBench]:
    case: Case = request.param
    world = World(owner=case.owner)
    world.branches.update({"main": "1" * 40, "next": "2" * 40, "bump/a": "3" * 40, "bump/b": "4" * 40})
    with ForgeServer(case.fake(world)) as server:
        yield ForgeBench(case, server)
