from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.git.api_access import ApiAccess, ApiTokenSort
from updater.git.authentication import CredentialedAccess
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.options import GitOptions
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.ports.log import NullLog

_HTTPS = "https://git.example.com/acme/deploy.git"
_SSH = "git@git.example.com:acme/deploy.git"
_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"


@contextmanager
def _opened(
    folder: Path, url: str, fields: Mapping[str, str], host: str = "api.example.com", proxy: str = ""
) -> Iterator[ApiAccess]:
    path = folder / "credentials.yaml"
    entry = "".join(f"\n  {name}: '{value}'" for name, value in {"url": url.removesuffix(".git"), **fields}.items())
    path.write_text(f"credentials:\n-{entry[2:]}\n")
    path.chmod(0o600)
    clock = SystemClock()
    environment = {"https_proxy": proxy} if proxy else {}
    options = GitOptions(tls_folder=folder / "tls")
    places = CredentialPlaces(environment=environment, file=path)
    access = CredentialedAccess(CredentialBook(places), options, environment, clock, NullLog())
    try:
        with access.open_api(GitTarget(parse_git_remote(url), ""), "argocd", host, Deadline.after(clock, 5)) as found:
            yield found
    finally:
        access.close()


@pytest.mark.parametrize(
    ("url", "fields", "sort", "token", "username"),
    [
        pytest.param(
            _HTTPS, {"username": "bot", "password": "p-1"}, ApiTokenSort.PASSWORD, "p-1", "bot", id="password"
        ),
        pytest.param(_HTTPS, {"bearerToken": "b-1"}, ApiTokenSort.BEARER, "b-1", "", id="bearer token"),
        pytest.param(_SSH, {"sshPrivateKey": _KEY, "scmToken": "s-1"}, ApiTokenSort.SCM, "s-1", "", id="beside a key"),
        pytest.param(
            _HTTPS, {"password": "p-1", "scmToken": "s-1"}, ApiTokenSort.SCM, "s-1", "", id="before a password"
        ),
    ],
)
def test_the_token_of_an_api_comes_from_the_credentials_for_git(
    tmp_path: Path, url: str, fields: dict[str, str], sort: ApiTokenSort, token: str, username: str
) -> None:
    with _opened(tmp_path, url, fields) as access:
        assert (access.sort, access.token.reveal(), access.username) == (sort, token, username)
        assert token not in repr(access)


def test_an_ssh_key_alone_is_no_token(tmp_path: Path) -> None:
    with pytest.raises(CredentialError) as caught, _opened(tmp_path, _SSH, {"sshPrivateKey": _KEY}):
        pass
    assert caught.value.code == "pr_token_missing"
    assert "scmToken" in str(caught.value)


def test_connections_are_made_as_those_of_git(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "api.example.com").write_text("PEM")
    fields = {"password": "p-1", "insecure": "true", "proxy": "http://proxy:3128", "noProxy": "a.test, b.test"}
    with _opened(tmp_path, _HTTPS, fields, proxy="http://other:1") as access:
        assert access.http.tls.insecure
        assert access.http.tls.ca_file == str(tmp_path / "tls" / "api.example.com")
        assert (access.http.proxies.https, access.http.proxies.no_proxy) == ("http://proxy:3128", ("a.test", "b.test"))
    with _opened(tmp_path, _HTTPS, {"password": "p-1"}, host="elsewhere.test", proxy="http://other:1") as access:
        assert (access.http.tls.ca_file, access.http.tls.insecure) == ("", False)
        assert access.http.proxies.https == "http://other:1"
