"""Tokens of GitHub Apps from a real HTTPS server: signed, cached, renewed, refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.git.https_server import Asked, serving
from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.git.authentication import CredentialedAccess
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.github_app import InstallationTokens
from updater.git.material import GitHubApp
from updater.git.options import GitOptions
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.ports.log import NullLog
from updater.transport.http import HttpOptions, TlsOptions
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire

_REMOTE = parse_git_remote("https://github.test/acme/deploy.git")


@dataclass
class Forge:
    """What the server answers, and what it was asked."""

    url: str = ""
    ca: str = ""
    valid_for: timedelta = timedelta(hours=1)
    status: int = 201
    body: bytes | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        self.asked.append((method, path))
        if self.body is not None or self.status >= 400:
            return self.status, self.body or b'{"message": "no"}'
        if path.endswith("/installation"):
            return 200, json.dumps({"id": 77}).encode()
        expires = datetime.now(UTC) + self.valid_for
        made = {"token": f"token-{len(self.asked)}", "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return 201, json.dumps(made).encode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def forge() -> Iterator[Forge]:
    world = Forge()

    def answer(asked: Asked) -> tuple[int, bytes]:
        world.tokens.append(asked.authorization.removeprefix("Bearer "))
        return world.answer(asked.method, asked.path)

    with serving(answer) as address:
        world.url, world.ca = f"{address.url}/api/v3/", address.ca
        yield world


def _app(forge: Forge, key: rsa.RSAPrivateKey, installation: str = "42") -> GitHubApp:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return GitHubApp("1234", installation, Secret(pem.decode()), forge.url)


def _fetch(tokens: InstallationTokens, forge: Forge, app: GitHubApp) -> str:
    http = HttpOptions(TlsOptions(ca_data=forge.ca))
    return tokens.fetch(app, _REMOTE, http, Deadline.after(SystemClock(), 20)).reveal()


def test_a_token_is_asked_for_with_a_signed_claim(forge: Forge, key: rsa.RSAPrivateKey) -> None:
    assert _fetch(InstallationTokens(SystemClock()), forge, _app(forge, key)) == "token-1"
    assert forge.asked == [("POST", "/api/v3/app/installations/42/access_tokens")]
    head, claims, signature = forge.tokens[0].split(".")
    key.public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    shown = json.loads(_decoded(claims))
    assert shown["iss"] == "1234"
    assert shown["exp"] - shown["iat"] == 600


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_token_is_used_again_until_it_is_refused(forge: Forge, key: rsa.RSAPrivateKey) -> None:
    tokens, app = InstallationTokens(SystemClock()), _app(forge, key)
    assert [_fetch(tokens, forge, app) for _ in range(3)] == ["token-1"] * 3
    assert tokens.forget(app, _REMOTE)
    assert not tokens.forget(app, _REMOTE)
    assert _fetch(tokens, forge, app) == "token-2"


def test_a_token_in_its_last_minutes_is_not_used(forge: Forge, key: rsa.RSAPrivateKey) -> None:
    forge.valid_for = timedelta(minutes=4)
    tokens, app = InstallationTokens(SystemClock()), _app(forge, key)
    assert [_fetch(tokens, forge, app) for _ in range(2)] == ["token-1", "token-2"]


def test_an_unknown_installation_is_found_by_the_repository(forge: Forge, key: rsa.RSAPrivateKey) -> None:
    _fetch(InstallationTokens(SystemClock()), forge, _app(forge, key, installation=""))
    assert forge.asked == [
        ("GET", "/api/v3/repos/acme/deploy/installation"),
        ("POST", "/api/v3/app/installations/77/access_tokens"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "retryable"),
    [
        pytest.param(401, None, False, id="refused"),
        pytest.param(503, None, True, id="failing"),
        pytest.param(201, b"<html>", True, id="no JSON"),
        pytest.param(201, b"[]", True, id="no object"),
    ],
)
def test_a_request_that_fails_says_so(
    forge: Forge,
    key: rsa.RSAPrivateKey,
    status: int,
    body: bytes | None,
    retryable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    forge.status, forge.body = status, body
    with pytest.raises(CredentialError) as raised:
        _fetch(InstallationTokens(SystemClock()), forge, _app(forge, key))
    assert (raised.value.code, raised.value.retryable) == ("token_request_failed", retryable)
    assert "eyJ" not in str(raised.value)


def test_a_key_that_is_none_is_named(forge: Forge) -> None:
    app = GitHubApp("1", "2", Secret("no key"), forge.url)
    with pytest.raises(CredentialError) as raised:
        _fetch(InstallationTokens(SystemClock()), forge, app)
    assert raised.value.code == "invalid_secret"
    assert "no key" not in str(raised.value)


def test_credentials_of_an_app_open_the_api_as_well(forge: Forge, key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    app = _app(forge, key)
    entry = {
        "url": "https://github.test/acme",
        "githubAppID": app.app_id,
        "githubAppInstallationID": app.installation_id,
        "githubAppPrivateKey": app.private_key.reveal(),
        "githubAppEnterpriseBaseUrl": forge.url,
        "caCert": forge.ca,
    }
    path = tmp_path / "credentials.yaml"
    path.write_text(json.dumps({"credentials": [entry]}))
    path.chmod(0o600)
    access = CredentialedAccess(CredentialBook(CredentialPlaces(file=path)), GitOptions(), {}, SystemClock(), NullLog())
    with access.open(GitTarget(_REMOTE, "x"), "argocd", Deadline.after(SystemClock(), 20)) as opened:
        assert opened.api is not None
        assert (opened.api.base_url, opened.api.token.reveal()) == (forge.url.rstrip("/"), "token-1")
        assert Path(opened.api.http.tls.ca_file).read_text().strip() == forge.ca.strip()
    access.close()
