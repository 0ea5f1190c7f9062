"""How an API is connected to: authorities, trust and proxies as those of git."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from tests.contract.forge.conftest import GivenAccess
from tests.contract.forge.fakes.github import FakeGitHub
from tests.contract.forge.fakes.server import ForgeServer
from tests.contract.forge.fakes.world import TOKEN
from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import ForgeError
from updater.forge.access import ForgeAccess, TokenKind
from updater.forge.calls import CallOptions
from updater.forge.client import ForgeClients, ForgeOptions
from updater.forge.connections import Connections
from updater.forge.places import ApiUrl
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.model.pull_requests import ForgeProvider, PullRequestSettings
from updater.ports.log import NullLog
from updater.transport.http import HttpOptions, ProxyOptions, TlsOptions
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire

_ACCESS = ForgeAccess(TokenKind.PASSWORD, Secret(TOKEN))
_OPTIONS = ForgeOptions(calls=CallOptions(backoff=Backoff(1, 0.01, 0.01)))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secured(authority: trustme.CA) -> Iterator[ForgeServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ForgeServer(FakeGitHub(), tls=context) as server:
        yield server


def _look(url: str, access: ForgeAccess, options: ForgeOptions = _OPTIONS) -> None:
    clock = SystemClock()
    clients = ForgeClients(GivenAccess(access), options, clock, NullLog())
    target = GitTarget(parse_git_remote(url), "", pull_request=PullRequestSettings(ForgeProvider.GITHUB))
    try:
        with clients.open(target, "argocd", Deadline.after(clock, 20)) as forge:
            assert forge.find_open("bump/a", "main") is None
    finally:
        clients.close()


def test_a_server_of_an_unknown_authority_gets_no_token(secured: ForgeServer) -> None:
    before = len(secured.forge.asked)
    with pytest.raises(ForgeError, match="TLS"):
        _look(f"{secured.url}/acme/deploy", _ACCESS)
    assert len(secured.forge.asked) == before


@pytest.mark.parametrize("is_verified", [True, False], ids=["authority of the operator", "not verified"])
def test_authorities_and_trust_are_those_of_the_access(
    secured: ForgeServer, authority: trustme.CA, tmp_path: Path, *, is_verified: bool
) -> None:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    tls = TlsOptions(ca_file=str(path)) if is_verified else TlsOptions(insecure=True)
    before = len(secured.forge.asked)
    _look(f"{secured.url}/acme/deploy", replace(_ACCESS, http=HttpOptions(tls)))
    assert len(secured.forge.asked) == before + 1


def test_requests_go_through_the_proxy_of_the_access() -> None:
    with ForgeServer(FakeGitHub()) as proxy:
        proxies = ProxyOptions(proxy.url, proxy.url)
        options = replace(_OPTIONS, urls=(ApiUrl(ForgeProvider.GITHUB, "", "http://forge.test/api/v3"),))
        _look("https://forge.test/acme/deploy", replace(_ACCESS, http=HttpOptions(proxies=proxies)), options)
        assert [each.headers["Host"] for each in proxy.forge.asked] == ["forge.test"]


def test_the_operators_address_gets_the_requests_of_another_host() -> None:
    with ForgeServer(FakeGitHub()) as server:
        url = ApiUrl(ForgeProvider.GITHUB, "git.example.com", f"{server.url}/api/v3")
        _look("git@git.example.com:acme/deploy.git", _ACCESS, replace(_OPTIONS, urls=(url,)))
        assert len(server.forge.asked) == 1


def test_connections_are_kept_between_repositories_unless_files_decide_about_them(
    authority: trustme.CA, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    connections = Connections(SystemClock())
    plain, other = HttpOptions(), HttpOptions(proxies=ProxyOptions("http://proxy:1"))
    passing = HttpOptions(TlsOptions(ca_file=str(path)))
    first, second, third = (connections.take(each) for each in (plain, other, passing))
    for transport in (first, second, third):
        connections.give_back(transport)
    assert connections.take(plain) is first
    assert connections.take(other) is second
    assert connections.take(passing) is not third
    connections.close()
