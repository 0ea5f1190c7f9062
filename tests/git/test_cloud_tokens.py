"""Tokens of Google and Azure from a real HTTPS server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.git.https_server import Address, Asked, serving
from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.git.cloud_tokens import AZURE_SCOPE, GOOGLE_SCOPE, CloudRequest, CloudTokens
from updater.git.material import AzurePrincipal
from updater.transport.http import HttpOptions, TlsOptions
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire


class Issuer:
    """Hands out numbered tokens."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.expires_in: object = 3600
        self.address = Address("", "")

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        self.asked.append((asked.path, dict(parse_qsl(asked.body.decode()))))
        made = {"access_token": f"token-{len(self.asked)}", "expires_in": self.expires_in}
        return 200, json.dumps(made).encode()

    def request(self, environment: Mapping[str, str] | None = None) -> CloudRequest:
        http = HttpOptions(TlsOptions(ca_data=self.address.ca))
        return CloudRequest(http, Deadline.after(SystemClock(), 20), environment or {})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with serving(made.answer) as made.address:
        yield made


def test_google_takes_a_signed_assertion(issuer: Issuer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    url = f"{issuer.address.url}/token"
    account = {"client_email": "bot@project.test", "private_key": pem.decode(), "token_uri": url}
    tokens, secret = CloudTokens(SystemClock()), Secret(json.dumps(account))
    login = [tokens.google_login(secret, issuer.request()) for _ in range(2)]
    assert login == [("bot@project.test", Secret("token-1"))] * 2
    ((path, form),) = issuer.asked
    head, claims, signature = form["assertion"].split(".")
    key.public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    shown = json.loads(_decoded(claims))
    assert path == "/token"
    assert (shown["iss"], shown["scope"], shown["aud"]) == ("bot@project.test", GOOGLE_SCOPE, url)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_azure_takes_the_secret_of_a_service_principal(issuer: Issuer) -> None:
    principal = AzurePrincipal("tenant", "client", Secret("s3cret"), issuer.address.url + "/")
    tokens = CloudTokens(SystemClock())
    assert [tokens.azure_token(principal, issuer.request()).reveal() for _ in range(2)] == ["token-1"] * 2
    form = {
        "grant_type": "client_credentials",
        "client_id": "client",
        "scope": AZURE_SCOPE,
        "client_secret": "s3cret",
    }
    assert issuer.asked == [("/tenant/oauth2/v2.0/token", form)]


def test_azure_takes_the_token_of_a_workload(issuer: Issuer, tmp_path: Path) -> None:
    federated = tmp_path / "token"
    federated.write_text("federated\n")
    environment = {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "client",
        "AZURE_AUTHORITY_HOST": issuer.address.url,
        "AZURE_FEDERATED_TOKEN_FILE": str(federated),
    }
    CloudTokens(SystemClock()).azure_token(AzurePrincipal(), issuer.request(environment))
    assert issuer.asked[0][1]["client_assertion"] == "federated"


def test_a_refused_token_is_forgotten_once(issuer: Issuer) -> None:
    principal = AzurePrincipal("tenant", "client", Secret("s"), issuer.address.url)
    tokens = CloudTokens(SystemClock())
    tokens.azure_token(principal, issuer.request())
    assert [tokens.forget_azure(principal, {}) for _ in range(2)] == [True, False]
    assert tokens.azure_token(principal, issuer.request()).reveal() == "token-2"


@pytest.mark.parametrize("expires_in", [200, None, "soon", -1])
def test_a_token_without_a_long_life_is_not_kept_for_long(issuer: Issuer, expires_in: object) -> None:
    issuer.expires_in = expires_in
    principal = AzurePrincipal("tenant", "client", Secret("s"), issuer.address.url)
    tokens = CloudTokens(SystemClock())
    found = {tokens.azure_token(principal, issuer.request()).reveal() for _ in range(2)}
    assert len(found) == (2 if expires_in in (200, -1) else 1)


@pytest.mark.parametrize(
    "key",
    [
        "no JSON",
        "[]",
        '{"client_email": "a", "private_key": "b"}',
        '{"client_email": "a", "private_key": "b", "token_uri": "http://h.test/token"}',
        '{"client_email": "a", "private_key": "b", "token_uri": "https://h.test/token"}',
    ],
)
def test_a_google_key_that_is_none_is_named_and_not_shown(issuer: Issuer, key: str) -> None:
    with pytest.raises(CredentialError) as raised:
        CloudTokens(SystemClock()).google_login(Secret(key), issuer.request())
    assert raised.value.code == "invalid_secret"


@pytest.mark.parametrize(
    ("principal", "environment"),
    [
        pytest.param(AzurePrincipal(), {}, id="nothing"),
        pytest.param(AzurePrincipal("tenant", "client"), {}, id="no proof"),
        pytest.param(AzurePrincipal("tenant", "client"), {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere"}, id="no such file"),
    ],
)
def test_an_azure_identity_that_is_not_there_is_named(
    issuer: Issuer, principal: AzurePrincipal, environment: Mapping[str, str]
) -> None:
    with pytest.raises(CredentialError) as raised:
        CloudTokens(SystemClock()).azure_token(principal, issuer.request(environment))
    assert raised.value.code == "invalid_secret"
