"""What happens to requests when the program ends."""

from __future__ import annotations

import threading

import pytest

from tests.contract.forge.conftest import GivenAccess
from tests.contract.forge.fakes.github import FakeGitHub
from tests.contract.forge.fakes.server import Asked, ForgeServer, Reply
from tests.contract.forge.fakes.world import TOKEN
from updater.clock import Deadline, SystemClock
from updater.errors import ForgeError
from updater.forge.access import ForgeAccess, TokenKind
from updater.forge.client import ForgeClients, ForgeOptions
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.model.pull_requests import ForgeProvider, PullRequestSettings
from updater.ports.log import NullLog
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire


def _clients(clock: SystemClock) -> ForgeClients:
    access = GivenAccess(ForgeAccess(TokenKind.PASSWORD, Secret(TOKEN)))
    return ForgeClients(access, ForgeOptions(), clock, NullLog())


def test_a_request_that_waits_for_its_answer_is_cut_off() -> None:
    clock = SystemClock()
    clients = _clients(clock)
    has_come, may_go = threading.Event(), threading.Event()

    def hanging(_: Asked) -> Reply:
        has_come.set()
        may_go.wait(30)
        return Reply(200, [])

    with ForgeServer(FakeGitHub()) as server:
        server.forge.faults.append(hanging)
        target = GitTarget(
            parse_git_remote(f"{server.url}/acme/deploy"), "", pull_request=PullRequestSettings(ForgeProvider.GITHUB)
        )
        with clients.open(target, "argocd", Deadline.after(clock, 40)) as forge:
            cutter = threading.Thread(target=lambda: (has_come.wait(30), clock.stop(), clients.close()))
            cutter.start()
            with pytest.raises(ForgeError, match="cancelled"):
                forge.find_open("bump/a", "main")
            cutter.join()
            may_go.set()
            with pytest.raises(ForgeError, match="closed"):
                forge.find_open("bump/a", "main")
        with clients.open(target, "argocd", Deadline.after(clock, 40)) as forge, pytest.raises(ForgeError):
            forge.find_open("bump/a", "main")
