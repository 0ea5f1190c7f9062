"""The same write over smart HTTP with TLS and over SSH, with real servers; and what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.git.bench import BenchOptions, Connect, RecordingLog, intent_for
from tests.git.http_server import PASSWORD, TOKEN, USER, HttpServer
from tests.git.https_server import Asked, serving
from tests.git.programs import need_program
from tests.git.ssh_server import SshServer
from updater.git.options import FetchMode
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository

pytestmark = pytest.mark.wire


@pytest.fixture
def remote(served: BareRepository) -> BareRepository:
    return served


@pytest.mark.parametrize("mode", list(FetchMode), ids=lambda mode: mode.value)
def test_a_change_is_pushed_over_https_with_a_password(
    http: HttpServer, remote: BareRepository, connect: Connect, mode: FetchMode
) -> None:
    url = http.url(remote.folder.name)
    result = connect(http.login(url), mode=mode).write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert "tag: 1.1.0" in remote.read("apps/shop/values.yaml")


@pytest.mark.parametrize(
    ("prefix", "fields"),
    [
        pytest.param("token/", {"bearerToken": TOKEN}, id="bearer token"),
        pytest.param("", {"username": USER, "password": PASSWORD, "forceHttpBasicAuth": True}, id="basic at once"),
    ],
)
def test_a_header_goes_out_where_it_is_wanted(
    http: HttpServer, remote: BareRepository, connect: Connect, prefix: str, fields: dict[str, object]
) -> None:
    url = http.url(remote.folder.name, prefix)
    result = connect({"url": url, "caCert": http.ca_pem, **fields}).write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({}, "network", id="the proxy of the entry"),
        pytest.param({"noProxy": "127.0.0.1"}, "", id="unless the entry says otherwise"),
    ],
)
def test_the_proxy_of_an_entry_is_used_whatever_the_environment_says(
    http: HttpServer, remote: BareRepository, connect: Connect, fields: dict[str, object], code: str
) -> None:
    url = http.url(remote.folder.name)
    options = BenchOptions(environment={"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    bench = connect(http.login(url, proxy="http://127.0.0.1:1", **fields), options=options)
    assert bench.write_one(intent_for(url, "1.1.0")).error_code == code


def test_a_wrong_password_is_named_and_not_shown(http: HttpServer, remote: BareRepository, connect: Connect) -> None:
    url = http.url(remote.folder.name)
    result = connect(http.login(url, password="wrong-secret")).write_one(intent_for(url, "1.1.0"))
    assert result.error_code == "auth_failed"
    assert "wrong-secret" not in result.error


def test_a_refused_token_is_renewed_once(http: HttpServer, remote: BareRepository, connect: Connect) -> None:
    handed_out: list[str] = []

    def issue(asked: Asked) -> tuple[int, bytes]:
        handed_out.append("stale" if not handed_out else TOKEN)
        return 200, json.dumps({"access_token": handed_out[-1], "expires_in": 3600}).encode()

    url = http.url(remote.folder.name, "token/")
    with serving(issue) as issuer:
        bench = connect(
            {
                "url": url,
                "caCert": http.ca_pem + issuer.ca,
                "azureServicePrincipalTenantId": "t",
                "azureServicePrincipalClientID": "c",
                "azureServicePrincipalClientSecret": "s",
                "azureActiveDirectoryEndpoint": issuer.url,
            }
        )
        result = bench.write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert handed_out == ["stale", TOKEN]


def test_a_missing_repository_is_named(http: HttpServer, connect: Connect) -> None:
    url = http.url("nothing.git")
    assert connect(http.login(url)).write_one(intent_for(url, "1.1.0")).error_code == "repo_not_found"


def test_an_unknown_authority_is_not_trusted(http: HttpServer, remote: BareRepository, connect: Connect) -> None:
    url = http.url(remote.folder.name)
    entry = {name: value for name, value in http.login(url).items() if name != "caCert"}
    assert connect(entry).write_one(intent_for(url, "1.1.0")).error_code == "tls_failed"


def test_verification_is_switched_off_with_a_warning(
    http: HttpServer, remote: BareRepository, connect: Connect
) -> None:
    url, log = http.url(remote.folder.name), RecordingLog()
    entry: dict[str, object] = {"url": url, "username": USER, "password": PASSWORD, "insecure": True}
    assert (
        connect(entry, options=BenchOptions(log=log)).write_one(intent_for(url, "1.1.0")).outcome
        is WriteOutcome.WRITTEN
    )
    assert "git_server_not_verified" in log.events


def test_a_password_does_not_follow_a_redirect_to_another_host(
    http: HttpServer, remote: BareRepository, connect: Connect
) -> None:
    url, log = http.url(remote.folder.name, "moved/"), RecordingLog()
    result = connect(http.login(url), options=BenchOptions(log=log)).write_one(intent_for(url, "1.1.0"))
    assert result.outcome is WriteOutcome.FAILED
    assert "git_question_refused" in log.events
    assert "tag: 1.0.0" in remote.read("apps/shop/values.yaml")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"bearerToken": TOKEN}, id="bearer token"),
        pytest.param({"username": USER, "password": PASSWORD, "forceHttpBasicAuth": True}, id="basic at once"),
    ],
)
def test_a_header_does_not_follow_a_redirect_to_another_host(
    http: HttpServer, remote: BareRepository, connect: Connect, fields: dict[str, object]
) -> None:
    asked: list[Asked] = []
    elsewhere = http.url(remote.folder.name).replace("127.0.0.1", "localhost")

    def lure(question: Asked) -> tuple[int, bytes]:
        asked.append(question)
        return 302, f"{elsewhere}/info/refs?{question.path.partition('?')[2]}".encode()

    with serving(lure) as server:
        entry = {"url": server.url, "caCert": server.ca + http.ca_pem, **fields}
        result = connect(entry).write_one(intent_for(f"{server.url}/a/b", "1.1.0"))
    assert (result.error_code, "redirects" in result.error) == ("fetch_failed", True)
    assert asked[0].authorization
    assert "tag: 1.0.0" in remote.read("apps/shop/values.yaml")


def test_no_password_is_in_arguments_or_environment_of_git(
    http: HttpServer, remote: BareRepository, connect: Connect, tmp_path: Path
) -> None:
    url = http.url(remote.folder.name)
    trace = tmp_path / "trace"
    bench = connect(http.login(url))
    bench.remotes._inherited = {**bench.remotes._inherited, "GIT_TRACE": str(trace), "GIT_TRACE_SETUP": str(trace)}
    bench.write(intent_for(url, "1.1.0"))
    assert "push" in trace.read_text()
    assert "pass word" not in trace.read_text()


def test_credentials_come_from_the_environment_for_named_hosts_only(
    http: HttpServer, remote: BareRepository, connect: Connect, tmp_path: Path
) -> None:
    url = http.url(remote.folder.name)
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "127.0.0.1").write_text(http.ca_pem)
    login = {"GIT_USERNAME": USER, "GIT_PASSWORD": PASSWORD}
    known = connect(environment={**login, "GIT_CREDENTIALS_HOST": "git.example.test, 127.0.0.1"})
    assert known.write_one(intent_for(url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    other = connect(environment={**login, "GIT_CREDENTIALS_HOST": "git.example.test"})
    assert other.write_one(intent_for(url, "1.2.0")).error_code == "no_credentials"


def test_a_change_is_pushed_over_ssh(ssh: SshServer, remote: BareRepository, connect: Connect) -> None:
    url = ssh.url(remote.folder)
    entry = {"url": url, "sshPrivateKey": ssh.key.replace("\n", "\r\n"), "sshKnownHosts": ssh.known_hosts()}
    result = connect(entry).write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert "tag: 1.1.0" in remote.read("apps/shop/values.yaml")


def test_known_hosts_of_the_operator_are_used(
    ssh: SshServer, remote: BareRepository, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "ssh").mkdir()
    (tmp_path / "ssh" / "ssh_known_hosts").write_text(ssh.known_hosts())
    url = ssh.url(remote.folder)
    entry = {"url": url, "sshPrivateKeyFrom": {"file": str(ssh.folder / "client_key")}}
    assert connect(entry).write_one(intent_for(url, "1.1.0")).outcome is WriteOutcome.WRITTEN


@pytest.mark.parametrize(
    ("known", "code"),
    [
        pytest.param("", "host_key_unknown", id="unknown host"),
        pytest.param("other_key", "host_key_mismatch", id="changed key"),
    ],
)
def test_a_server_with_another_key_gets_nothing(
    ssh: SshServer, remote: BareRepository, connect: Connect, known: str, code: str
) -> None:
    url = ssh.url(remote.folder)
    hosts = ssh.known_hosts(known) if known else "git.example.test ssh-ed25519 AAAA\n"
    entry = {"url": url, "sshPrivateKey": ssh.key, "sshKnownHosts": hosts}
    assert connect(entry).write_one(intent_for(url, "1.1.0")).error_code == code


def test_a_key_that_the_server_does_not_know_is_named(ssh: SshServer, remote: BareRepository, connect: Connect) -> None:
    url = ssh.url(remote.folder)
    entry = {"url": url, "sshPrivateKey": (ssh.folder / "other_key").read_text(), "sshKnownHosts": ssh.known_hosts()}
    assert connect(entry).write_one(intent_for(url, "1.1.0")).error_code == "auth_failed"


def test_a_key_of_the_ssh_agent_is_used(
    ssh: SshServer, remote: BareRepository, connect: Connect, tmp_path: Path
) -> None:
    add = need_program("ssh-add", "openssh-client")
    url, environment = ssh.url(remote.folder), {"SSH_AUTH_SOCK": str(tmp_path / "agent")}
    with _agent(tmp_path / "agent"):
        subprocess.run(
            [add, "-q", str(ssh.folder / "client_key")],
            env={**os.environ, **environment},
            capture_output=True,
            check=True,
        )
        entry: dict[str, object] = {"url": url, "sshAgent": True, "sshKnownHosts": ssh.known_hosts()}
        result = connect(entry, environment=environment).write_one(intent_for(url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)


_PROXY_PROGRAM = """#!{python}
import os, socket, sys, threading
with open({asked!r}, "w") as asked:
    asked.write(" ".join([*sys.argv[1:], os.environ["SOCKS5_USER"], os.environ["SOCKS5_PASSWD"]]))
far = socket.create_connection((sys.argv[4], int(sys.argv[5])))
def pump(read, write):
    while chunk := read(65536):
        write(chunk)
threading.Thread(target=pump, args=(far.recv, lambda chunk: os.write(1, chunk)), daemon=True).start()
pump(lambda size: os.read(0, size), far.sendall)
"""


def test_the_program_of_a_socks_proxy_gets_address_and_login(
    ssh: SshServer, remote: BareRepository, connect: Connect, tmp_path: Path
) -> None:
    program, asked = tmp_path / "bin" / "connect-proxy", tmp_path / "asked"
    program.parent.mkdir()
    program.write_text(_PROXY_PROGRAM.format(python=sys.executable, asked=str(asked)))
    program.chmod(0o755)
    url = ssh.url(remote.folder)
    options = BenchOptions(environment={"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"})
    bench = connect({**ssh.login(url), "proxy": "socks5://us%20er:pass@proxy.test:1080"}, options=options)
    assert bench.write_one(intent_for(url, "1.1.0")).error == ""
    assert asked.read_text() == f"-S proxy.test:1080 -5 127.0.0.1 {ssh.port} us er pass"


@pytest.mark.parametrize("proxy", ["http://proxy.test:1080", "socks5://a%00b@proxy.test:1080", "socks5://$(id):1"])
def test_a_proxy_that_ssh_cannot_use_is_refused_and_not_shown(
    ssh: SshServer, remote: BareRepository, connect: Connect, proxy: str
) -> None:
    url = ssh.url(remote.folder)
    result = connect({**ssh.login(url), "proxy": proxy}).write_one(intent_for(url, "1.1.0"))
    assert result.error_code == "invalid_secret"
    assert proxy not in result.error


@contextmanager
def _agent(address: Path) -> Iterator[None]:
    """An agent of OpenSSH, which goes to the background as soon as it listens."""
    agent = need_program("ssh-agent", "openssh-client")
    told = subprocess.run([agent, "-s", "-a", str(address)], capture_output=True, check=True, text=True).stdout
    pid = told.partition("SSH_AGENT_PID=")[2].partition(";")[0]
    try:
        yield
    finally:
        subprocess.run([agent, "-k"], env={**os.environ, "SSH_AGENT_PID": pid}, capture_output=True, check=True)


def test_keys_and_folders_are_gone_after_a_batch(ssh: SshServer, remote: BareRepository, connect: Connect) -> None:
    url = ssh.url(remote.folder)
    connect({"url": url, "sshPrivateKey": ssh.key, "sshKnownHosts": ssh.known_hosts()}).write(intent_for(url, "1.1.0"))
    assert list(Path("/dev/shm").glob(f"argocd-image-updater-git-{os.getpid()}-*")) == []  # noqa: S108 - where keys are
