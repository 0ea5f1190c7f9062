"""Credentials that change while the client runs, and what decides whom it trusts, against a real registry."""

from __future__ import annotations

import base64
import json
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.wire.registry.cloud_server import CloudServer, Said
from tests.wire.registry.conftest import HOST, HastyClock
from updater.assembly.registries import build_registries, build_registry_under_test
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.errors import CredentialError, RegistryAuthError
from updater.model.references import ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.ports.log import NullLog
from updater.registry.client import RegistryClient
from updater.registry.configuration_live import LiveRegistries
from updater.registry.credential_readers import build_credential_reader
from updater.settings.parts import RegistrySettings

pytestmark = pytest.mark.wire
Start = Callable[[str, str], "Life"]


class Life:
    """A client over a ``registries.conf``, as assembly builds it."""

    def __init__(self, path: Path) -> None:
        self.clock = HastyClock()
        self.live = LiveRegistries(str(path), tls_folder=str(path.parent / "tls"))
        self.client = RegistryClient(self.live, build_credential_reader({"PATH": "/bin"}, self.clock), self.clock)

    def tags(self, pull_secret: str = "") -> tuple[str, ...]:
        self.client.forget_tags(ImageRepository(HOST, "team/app"))
        deadline = Deadline.after(self.clock, 30.0)
        return self.client.fetch_tags(ImageRepository(HOST, "team/app"), deadline, pull_secret=pull_secret).tags


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a client for an API and further fields of its entry."""
    made: list[Life] = []

    def make(api_url: str, fields: str) -> Life:
        path = tmp_path / "registries.conf"
        path.write_text(f"registries:\n- name: own\n  prefix: {HOST}\n  api_url: {api_url}\n{fields}")
        made.append(Life(path))
        return made[-1]

    yield make
    for life in made:
        life.client.close()


def print_login(path: Path, login: str) -> str:
    path.write_text(f"#!/bin/sh\necho {login}\n")
    path.chmod(0o755)
    return f"  credentials: ext:{path}\n"


def docker_config(path: Path, host: str, login: str) -> None:
    auths = {host: {"auth": base64.b64encode(login.encode()).decode()}}
    path.write_text(json.dumps({"auths": auths}))
    path.chmod(0o600)


def test_rotated_credentials_are_asked_for_anew_after_a_refusal(
    registry: PlaygroundRegistry, start: Start, tmp_path: Path
) -> None:
    registry.require_basic("ann", "one")
    life = start(registry.address, print_login(tmp_path / "login", "ann:one"))
    assert life.tags() == ("1.0", "1.1")
    registry.require_basic("ann", "two")
    print_login(tmp_path / "login", "ann:two")
    life.clock.ahead_s += 60.0
    assert life.tags() == ("1.0", "1.1")


def test_credentials_that_stay_wrong_are_sent_no_second_time(
    registry: PlaygroundRegistry, start: Start, tmp_path: Path
) -> None:
    registry.require_basic("ann", "one")
    life = start(registry.address, print_login(tmp_path / "login", "ann:wrong"))
    for calls in (1, 2):
        with pytest.raises(RegistryAuthError) as raised:
            life.tags()
        assert "wrong" not in str(raised.value)
        assert sum(asked.has_authorization for asked in registry.requests) == calls
        life.clock.ahead_s += 60.0


def test_a_registry_that_repeats_the_credentials_does_not_get_them_into_the_error(start: Start, tmp_path: Path) -> None:
    basic = base64.b64encode(b"ann:hunter2").decode()
    said = {"errors": [{"code": "DENIED", "message": f"ann with hunter2, sent as {basic}, may not"}]}
    with CloudServer() as registry:
        registry.say("GET /v2/", Said("", 401, {"WWW-Authenticate": 'Basic realm="r"'}))
        registry.say("GET /v2/team/app/tags/list", Said(json.dumps(said), 403, {"Content-Type": "application/json"}))
        life = start(registry.address, print_login(tmp_path / "login", "ann:hunter2"))
        with pytest.raises(RegistryAuthError, match=r"DENIED ann with \*\*\*, sent as \*\*\*, may not") as raised:
            life.tags()
    assert raised.value.code == "access_denied"
    shown = "".join(traceback.format_exception(raised.value))
    assert "hunter2" not in shown
    assert basic not in shown


def test_a_docker_file_gives_way_to_its_next_content(
    registry: PlaygroundRegistry, start: Start, tmp_path: Path
) -> None:
    registry.require_bearer("ann", "one")
    path = tmp_path / "config.json"
    docker_config(path, registry.host, "ann:one")
    life = start(registry.address, f"  credentials: file:{path}\n")
    assert life.tags() == ("1.0", "1.1")
    registry.require_bearer("ann", "two")
    docker_config(path, registry.host, "ann:two")
    assert life.tags() == ("1.0", "1.1")


def test_an_owner_without_kubernetes_gets_an_error_and_not_the_operators_credentials(
    registry: PlaygroundRegistry, start: Start, tmp_path: Path
) -> None:
    registry.require_basic("ann", "one")
    life = start(registry.address, print_login(tmp_path / "login", "ann:one"))
    with pytest.raises(CredentialError, match="own: Secret team/s: Kubernetes Secrets cannot be read") as raised:
        life.tags("pullsecret:team/s")
    assert raised.value.code == "kubernetes_unavailable"
    assert registry.requests == ()
    assert life.tags() == ("1.0", "1.1")


@pytest.mark.parametrize("place", ["ca_data", "ca_file", "mounted", "certificate alone"])
def test_a_private_authority_is_trusted_from_every_place(start: Start, tmp_path: Path, place: str) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert("127.0.0.1")
    certificate.configure_cert(context)
    trusted = certificate.cert_chain_pems[0] if place == "certificate alone" else authority.cert_pem
    pem = trusted.bytes().decode()
    (tmp_path / "tls").mkdir()
    (tmp_path / ("tls/127.0.0.1" if place == "mounted" else "own.pem")).write_text(pem)
    indented = pem.strip().replace("\n", "\n    ")
    inline = f"  ca_data: |\n    {indented}\n"
    fields = {"ca_data": inline, "certificate alone": inline, "ca_file": f"  ca_file: {tmp_path}/own.pem\n"}
    with PlaygroundRegistry(context) as registry:
        registry.push("team/app", "1.0")
        assert start(registry.address, fields.get(place, "")).tags() == ("1.0",)


def test_connections_under_old_trust_are_given_up_at_a_reload(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    path = tmp_path / "registries.conf"
    settings, clock = RegistrySettings(conf_path=str(path)), HastyClock()

    def write(registry: PlaygroundRegistry, trust: str) -> None:
        path.write_text(f"registries:\n- {{name: o, prefix: {HOST}, api_url: '{registry.address}', {trust}}}\n")

    with PlaygroundRegistry(context) as registry:
        registry.push("team/app", "1.0")
        write(registry, "insecure: true")
        fleet = build_registries(settings, Surroundings(clock=clock))
        kept = fleet.client._connections._transports._kept
        deadline = Deadline.after(clock, 30.0)
        fleet.client.fetch_tags(ImageRepository(HOST, "team/app"), deadline)
        assert [key.tls.insecure for key in kept] == [True]
        fleet.refresh()
        assert len(kept) == 1, "nothing has changed"
        write(registry, f"ca_file: {tmp_path}/ca.pem")
        fleet.refresh()
        assert len(kept) == 0
        fleet.client.fetch_tags(ImageRepository(HOST, "team/app"), deadline)
        assert [key.tls.insecure for key in kept] == [False]
        fleet.client.close()


@pytest.mark.parametrize("is_ours", [True, False], ids=["the operator's test", "an owner"])
def test_only_the_operator_may_name_files_of_the_process(
    registry: PlaygroundRegistry, tmp_path: Path, *, is_ours: bool
) -> None:
    registry.require_basic("ann", "one")
    docker_config(tmp_path / "config.json", registry.host, "ann:one")
    source = f"file:{tmp_path}/config.json"
    path = tmp_path / "registries.conf"
    path.write_text(f"registries:\n- {{name: o, prefix: {HOST}, api_url: '{registry.address}'}}\n")
    settings, repository, clock = RegistrySettings(conf_path=str(path)), ImageRepository(HOST, "team/app"), HastyClock()
    if is_ours:
        client = build_registry_under_test(settings, repository, {}, NullLog()).client
        tags = client.fetch_tags(repository, Deadline.after(clock, 30.0), pull_secret=source).tags
        assert tags == ("1.0", "1.1")
    else:
        client = build_registries(settings, Surroundings(clock=clock)).client
        with pytest.raises(CredentialError, match="the operator's alone"):
            client.fetch_tags(repository, Deadline.after(clock, 30.0), pull_secret=source)
        assert registry.requests == ()
    client.close()
