"""Docker configuration: what the vectors leave open, and files that change."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.registry.credential_docker import parse_docker_config
from updater.registry.credential_files import MAX_FILE_BYTES, DockerConfigFiles
from updater.registry.credential_sources import CredentialSource, SourceType
from updater.registry.credentials import CredentialKind, CredentialNeed, Credentials
from updater.transport.redaction import Secret

SOON = Deadline.after(SystemClock(), 60.0)


def config(auths: Any, **fields: Any) -> str:
    return json.dumps({"auths": auths, **fields})


def chosen(auths: Any, api_url: str = "https://quay.io", repository: str = "org/app") -> Credentials:
    return parse_docker_config(config(auths), "here").credentials_for(api_url, repository)


def pair(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("key", "api_url"),
    [
        pytest.param("HTTPS://Quay.io", "https://quay.io", id="scheme in capitals"),
        pytest.param(" quay.io/ ", "https://quay.io", id="blanks and slash"),
        pytest.param("quay.io", "https://quay.io:443", id="default port in the API"),
        pytest.param("http://quay.io:80", "http://quay.io", id="default port of plain http"),
        pytest.param("quay.io", "http://quay.io:80", id="default port of plain http in the API"),
        pytest.param("quay.io:8443/v1/", "https://quay.io:8443", id="port and version"),
        pytest.param("*.azurecr.io", "https://own.azurecr.io", id="glob"),
        pytest.param("a*-*c.io:5000", "https://ab-bc.io:5000", id="glob inside a label, with port"),
        pytest.param("quay.io/org", "https://quay.io", id="path of the organisation"),
    ],
)
def test_a_key_fits_its_registry(key: str, api_url: str) -> None:
    assert chosen({key: pair("ann:pw")}, api_url) == Credentials("ann", Secret("pw"))


@pytest.mark.parametrize(
    ("key", "api_url"),
    [
        pytest.param("quay.io.evil.test", "https://quay.io", id="longer host"),
        pytest.param("quay.io:80", "https://quay.io", id="port of the other scheme"),
        pytest.param("quay.io", "https://quay.io:8443", id="no port"),
        pytest.param("*.io:5000", "https://quay.io", id="port of a glob"),
        pytest.param("*", "https://quay.io", id="glob of one label"),
        pytest.param("a*a.io", "https://a.io", id="glob whose ends overlap"),
        pytest.param("*x*x*.io", "https://quaxy.io", id="glob with parts in vain"),
        pytest.param("docker.io", "https://quay.io", id="alias of another registry"),
        pytest.param("quay.io/or", "https://quay.io", id="path that ends inside a part"),
    ],
)
def test_a_key_does_not_fit_another_registry(key: str, api_url: str) -> None:
    with pytest.raises(CredentialError) as raised:
        chosen({key: pair("ann:hunter2")}, api_url)
    assert raised.value.code == "no_match"
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param("ann:hunter2", "not a mapping", id="text"),
        pytest.param({"auth": 7}, "'auth' is not text", id="number"),
        pytest.param({"auth": "aHVudGVyMg!="}, "not base64", id="foreign character"),
        pytest.param({"auth": base64.b64encode(b"ann:\xff").decode()}, "not base64 of UTF-8", id="no UTF-8"),
        pytest.param({"username": "hunter2"}, "user and password", id="user alone"),
        pytest.param({}, "user and password", id="empty"),
    ],
)
def test_a_bad_best_entry_is_an_error(entry: Any, said: str) -> None:
    with pytest.raises(CredentialError, match=said) as raised:
        chosen({"quay.io": entry, "*.io": pair("other:pw")})
    assert raised.value.code == "invalid_entry"
    assert "hunter2" not in str(raised.value)


def test_an_identity_token_takes_the_place_of_the_password() -> None:
    found = chosen({"quay.io": {**pair("0000:"), "identitytoken": "refresh"}})
    assert found == Credentials("0000", Secret("refresh"), CredentialKind.IDENTITY_TOKEN)


def test_padding_and_a_trailing_zero_do_not_matter() -> None:
    unpadded = base64.b64encode(b"ann:pw\0\0").decode().rstrip("=")
    assert chosen({"quay.io": {"auth": f" {unpadded}\n"}}) == Credentials("ann", Secret("pw"))


@pytest.mark.parametrize(
    "fields", [{"credHelpers": {"quay.io": "evil"}}, {"credsStore": "desktop"}], ids=["helpers", "store"]
)
def test_credential_helpers_are_never_run(fields: dict[str, Any]) -> None:
    for text in (config({}, **fields), json.dumps(fields)):
        with pytest.raises(CredentialError, match="helpers are not run"):
            parse_docker_config(text, "here").credentials_for("https://quay.io", "app")


@given(st.text() | st.binary())
def test_no_text_breaks_the_parser(text: str | bytes) -> None:
    with pytest.raises(CredentialError):
        parse_docker_config(text, "here").credentials_for("https://quay.io", "app")


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(["auth", "username", "registrytoken", "identitytoken"]), _JSON)
def test_no_entry_breaks_the_choice(name: str, value: Any) -> None:
    if isinstance(value, str) and value and name.endswith("token"):
        assert chosen({"quay.io": {name: value}}).password == Secret(value)
        return
    with pytest.raises(CredentialError) as raised:
        chosen({"quay.io": {name: value}})
    assert raised.value.code == "invalid_entry"


@given(st.text(alphabet="ab*.:/", max_size=12), st.text(alphabet="ab", min_size=1, max_size=5))
def test_a_key_without_star_only_fits_the_host_itself(key: str, host: str) -> None:
    try:
        chosen({key: pair("ann:pw")}, f"https://{host}", "org")
    except CredentialError:
        return
    assert key.count(".") == 0
    assert "*" in key or key.strip("/").partition("/")[0] == host


class ConfigFile:
    """A file that belongs to us alone, and its reader."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = DockerConfigFiles()
        self.source = CredentialSource(SourceType.FILE, str(path))

    def write(self, content: str | bytes) -> None:
        self.path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.path.chmod(0o640)

    def read(self) -> Credentials:
        need = CredentialNeed(self.source, "https://quay.io", "app")
        return self.reader.read(self.source, need, SOON)


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    made = ConfigFile(tmp_path / "config.json")
    made.write(config({"quay.io": pair("ann:one")}))
    return made


def test_a_file_is_read_again_when_it_changes(config_file: ConfigFile) -> None:
    assert config_file.read().password == Secret("one")
    config_file.write(config({"quay.io": pair("ann:two")}))
    assert config_file.read().password == Secret("two")


def test_a_swapped_link_is_a_change(config_file: ConfigFile, tmp_path: Path) -> None:
    other = ConfigFile(tmp_path / "other.json")
    other.write(config({"quay.io": pair("ann:two")}))
    linked = ConfigFile(tmp_path / "link")
    linked.path.symlink_to(config_file.path)
    assert linked.read().password == Secret("one")
    (tmp_path / "new").symlink_to(other.path)
    (tmp_path / "new").rename(linked.path)
    assert linked.read().password == Secret("two")


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666], ids=oct)
def test_a_file_that_others_may_write_is_refused_also_later(config_file: ConfigFile, mode: int) -> None:
    assert config_file.read().user == "ann"
    config_file.path.chmod(mode)
    with pytest.raises(CredentialError, match="others may write") as raised:
        config_file.read()
    assert raised.value.code == "credentials_file_writable"


def test_a_file_that_cannot_be_read_says_why(config_file: ConfigFile, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, said in (("pipe", "not a regular file"), ("", "not a regular file|directory"), ("absent", "No such")):
        with pytest.raises(CredentialError, match=said) as raised:
            ConfigFile(tmp_path / path).read()
        assert raised.value.code == "credentials_file_unreadable"
    config_file.write(b" " * (MAX_FILE_BYTES + 1))
    with pytest.raises(CredentialError, match="larger than 1024 KiB"):
        config_file.read()
