"""Every type of source through the one reader that assembly builds."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.registry.conftest import ManualClock
from updater.clock import Deadline
from updater.errors import CredentialError, UpdaterError
from updater.ports.secrets import KubernetesSecret, SecretSource
from updater.registry.credential_docker import parse_docker_config
from updater.registry.credential_readers import build_credential_reader
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credential_values import Lease
from updater.registry.credentials import CredentialNeed, CredentialReader, Credentials, parse_user_and_password
from updater.transport.redaction import Secret


class Cluster:
    """Secrets in memory; ``asked`` is who was asked for."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.asked: list[tuple[str, str]] = []

    def fetch_secret(self, namespace: str, name: str, deadline: Deadline) -> KubernetesSecret:
        assert not deadline.has_passed
        self.asked.append((namespace, name))
        fields = self.secrets.get((namespace, name))
        if fields is None:
            raise CredentialError("there is no such Secret", where=f"{namespace}/{name}", code="secret_not_found")
        return KubernetesSecret(namespace, name, fields)


class Reader:
    """A reader over a cluster, with a clock that the test moves."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.cluster = clock, Cluster()
        port: SecretSource = self.cluster
        self.environment = {"HUB": "ann:env"}
        self.reader = build_credential_reader(self.environment, clock, secrets=port)

    def need(self, text: str, repository: str = "org/app", expire_s: float = 0.0) -> CredentialNeed:
        return CredentialNeed(parse_credential_source(text), "https://quay.io", repository, expire_s)

    def read(self, text: str, repository: str = "org/app", expire_s: float = 0.0) -> Credentials | None:
        return self.reader.read(self.need(text, repository, expire_s), Deadline.after(self.clock, 60.0))

    def refresh(self, text: str, refused: Credentials) -> Credentials | None:
        return self.reader.refresh(self.need(text), refused, Deadline.after(self.clock, 60.0))


@pytest.fixture
def reader(clock: ManualClock) -> Iterator[Reader]:
    made = Reader(clock)
    yield made
    made.reader.close()


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Makes a script that prints a text and counts its runs in the file ``runs``."""

    def make(text: str) -> str:
        path = tmp_path / "login.sh"
        path.write_text(f"#!/bin/sh\necho run >>{tmp_path}/runs\necho '{text}'\n")
        path.chmod(0o755)
        return f"ext:{path}"

    return make


def docker_config(*keys: str) -> bytes:
    auths = {key: {"auth": base64.b64encode(f"{key}:pw".encode()).decode()} for key in keys}
    return json.dumps({"auths": auths}).encode()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_secret_holds_a_pair_and_at_most_one_line_end(reader: Reader, end: bytes) -> None:
    reader.cluster.secrets["ns", "s"] = {"creds": b"ann:p:w" + end}
    assert reader.read("secret:ns/s#creds") == Credentials("ann", Secret("p:w"))


@pytest.mark.parametrize("password", ["pw ", "pw\n", "p\nw"])
def test_everything_else_in_a_secret_is_the_passwords(reader: Reader, password: str) -> None:
    reader.cluster.secrets["ns", "s"] = {"creds": f"ann:{password}\n".encode()}
    assert reader.read("secret:ns/s#creds") == Credentials("ann", Secret(password))


@pytest.mark.parametrize(
    ("source", "content", "code"),
    [
        pytest.param("secret:ns/s#creds", b"hunter2", "credentials_malformed", id="no colon"),
        pytest.param("secret:ns/s#creds", b"ann:\n", "credentials_malformed", id="no password"),
        pytest.param("secret:ns/s#creds", b"ann:hunter2\xff", "credentials_malformed", id="no UTF-8"),
        pytest.param("secret:ns/s#other", b"ann:hunter2", "secret_field_missing", id="no field"),
        pytest.param("secret:ns/t#creds", b"ann:hunter2", "secret_not_found", id="no Secret"),
        pytest.param("pullsecret:ns/s", b"ann:hunter2", "secret_field_missing", id="no pull secret"),
    ],
)
def test_a_secret_of_no_use_is_named(reader: Reader, source: str, content: bytes, code: str) -> None:
    reader.cluster.secrets["ns", "s"] = {"creds": content}
    with pytest.raises(CredentialError, match="ns/") as raised:
        reader.read(source)
    assert raised.value.code == code
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_a_pull_secret_is_read_once_and_chosen_from_per_repository(reader: Reader) -> None:
    reader.cluster.secrets["ns", "s"] = {".dockerconfigjson": docker_config("quay.io", "quay.io/org")}
    found = [reader.read("pullsecret:ns/s", name) for name in ("org/app", "else/app")]
    assert [one.user for one in found if one] == ["quay.io/org", "quay.io"]
    assert reader.cluster.asked == [("ns", "s")]


def test_a_secret_is_read_again_after_a_minute_whatever_the_endpoint_says(reader: Reader) -> None:
    reader.cluster.secrets["ns", "s"] = {"creds": b"ann:one"}
    reader.read("secret:ns/s#creds", expire_s=9999.0)
    reader.cluster.secrets["ns", "s"] = {"creds": b"ann:two"}
    reader.clock.at_s += 60.0
    assert reader.read("secret:ns/s#creds", expire_s=9999.0) == Credentials("ann", Secret("two"))


@pytest.mark.parametrize("source", ["secret:ns/s#f", "pullsecret:ns/s"])
def test_without_kubernetes_a_secret_is_an_error_for_its_images_alone(clock: ManualClock, source: str) -> None:
    reader = build_credential_reader({"HUB": "ann:pw"}, clock)
    soon = Deadline.after(clock, 1.0)
    with pytest.raises(CredentialError, match=r"Secret ns/s: .* no connection to the Kubernetes API") as raised:
        reader.read(CredentialNeed(parse_credential_source(source)), soon)
    assert raised.value.code == "kubernetes_unavailable"
    assert reader.read(CredentialNeed(parse_credential_source("env:HUB")), soon) == Credentials("ann", Secret("pw"))


@pytest.mark.parametrize(("expire_s", "lifetime_s"), [(0.0, 300.0), (1000.0, 1000.0)])
def test_a_script_runs_once_in_its_lifetime(
    reader: Reader, script: Callable[[str], str], tmp_path: Path, expire_s: float, lifetime_s: float
) -> None:
    source = script("ann:pw")
    for _ in range(3):
        assert reader.read(source, expire_s=expire_s) == Credentials("ann", Secret("pw"))
    reader.clock.at_s += 0.79 * lifetime_s
    reader.read(source, expire_s=expire_s)
    assert (tmp_path / "runs").read_text().split() == ["run"]
    reader.clock.at_s += 0.21 * lifetime_s
    reader.read(source, expire_s=expire_s)
    assert (tmp_path / "runs").read_text().split() == ["run"] * 2


def test_entries_with_another_lifetime_keep_results_of_their_own(
    reader: Reader, script: Callable[[str], str], tmp_path: Path
) -> None:
    source = script("ann:pw")
    reader.read(source, expire_s=9999.0)
    reader.read(source)
    assert (tmp_path / "runs").read_text().split() == ["run"] * 2


def test_refused_credentials_are_asked_for_anew_once_a_minute(
    reader: Reader, script: Callable[[str], str], tmp_path: Path
) -> None:
    source = script("ann:one")
    old = reader.read(source)
    assert old is not None
    script("ann:two")
    assert reader.refresh(source, old) is None, "too young"
    reader.clock.at_s += 60.0
    new = reader.refresh(source, old)
    assert new == Credentials("ann", Secret("two"))
    assert reader.refresh(source, old) == new, "whoever comes later is given what the first one got"
    assert reader.refresh(source, new) is None
    reader.clock.at_s += 60.0
    assert reader.refresh(source, old) == new
    assert (tmp_path / "runs").read_text().split() == ["run"] * 2
    assert reader.read(source) == new


def test_a_changed_file_takes_the_place_of_refused_credentials_at_once(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(docker_config("quay.io"))
    path.chmod(0o600)
    old = reader.read(f"file:{path}")
    assert old is not None
    assert reader.refresh(f"file:{path}", old) is None
    path.write_bytes(docker_config("quay.io/org"))
    assert reader.refresh(f"file:{path}", old) == Credentials("quay.io/org", Secret("pw"))


def test_variables_have_nothing_newer(reader: Reader) -> None:
    old = reader.read("env:HUB")
    assert old == Credentials("ann", Secret("env"))
    assert reader.refresh("env:HUB", old) is None


def test_closing_twice_is_fine(clock: ManualClock) -> None:
    reader: CredentialReader = build_credential_reader({}, clock)
    reader.close()
    reader.close()


# Long enough that it does not stand in a message by chance, and of no other alphabet than our texts.
_PASSWORDS = st.text(alphabet="QXZ\u00e4:\"'\\/#@%\n ", min_size=8, max_size=40)


def _everything(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(vars(error))


@given(_PASSWORDS)
def test_no_secret_reaches_a_repr_or_a_text(password: str) -> None:
    found = Credentials("ann", Secret(password))
    entry = {"auths": {"quay.io": {"auth": base64.b64encode(f"ann:{password}".encode()).decode()}}}
    config = parse_docker_config(json.dumps(entry), "here")
    secret = KubernetesSecret("ns", "s", {"f": password.encode()})
    for value in (found, Lease(found), Lease(config), config, secret, found.password):
        assert password not in f"{value} {value!r}"
        assert base64.b64encode(password.encode()).decode() not in f"{value!r}"


@given(_PASSWORDS)
def test_no_secret_reaches_an_error(password: str) -> None:
    texts: list[Callable[[], object]] = [
        lambda: parse_credential_source(password),
        lambda: parse_credential_source(f"env:ann:{password}"),
        lambda: parse_docker_config(password, "here"),
        lambda: parse_docker_config(json.dumps({"auths": password}), "here"),
        lambda: parse_docker_config(json.dumps({"auths": {password: {}}}), "here").credentials_for("https://q.io", "a"),
        lambda: parse_docker_config(json.dumps({"auths": {"q.io": {"auth": password}}}), "here").credentials_for(
            "https://q.io", "a"
        ),
        lambda: parse_user_and_password(f":{password}", where="here"),
    ]
    for parse in texts:
        with pytest.raises(UpdaterError) as raised:
            parse()
        assert password not in _everything(raised.value)
