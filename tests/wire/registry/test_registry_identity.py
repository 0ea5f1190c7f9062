"""Cloud identities through the clouds' own libraries, against recorded answers on loopback."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.wire.registry.cloud_server import CloudServer, Said
from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credential_values import CredentialKind, CredentialNeed, Credentials, Lease
from updater.registry.identity.acr import AcrFetcher
from updater.registry.identity.ecr import EcrFetcher, service_and_region
from updater.registry.identity.gar import GarFetcher
from updater.registry.identity.libraries import BROKEN_ANSWERS, lifetime_s
from updater.transport.http import HttpOptions
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire
CLOCK = SystemClock()
PRIVATE = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"
JSON = {"Content-Type": "application/json"}
Fetch = Callable[..., Lease[Credentials]]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CloudServer]:
    """A cloud whose libraries find nothing else: no files, variables and metadata services of whoever runs this."""
    for name in os.environ:
        if name.startswith(("AWS_", "GOOGLE_", "GCE_", "CLOUDSDK_", "AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with CloudServer() as server:
        yield server


def need(source: str, api_url: str = PRIVATE, expire_s: float = 0.0) -> CredentialNeed:
    return CredentialNeed(parse_credential_source(source), api_url, "team/app", expire_s)


def fetched(fetcher: EcrFetcher | GarFetcher | AcrFetcher, wanted: CredentialNeed) -> Lease[Credentials]:
    assert wanted.source is not None
    source = parse_credential_source(str(wanted.source))
    return fetcher.fetch(source, wanted, Deadline.after(CLOCK, 30.0))


def in_seconds(seconds: float) -> float:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).timestamp()


def ecr_token(aws: str = "aws-password") -> dict[str, object]:
    token = base64.b64encode(f"AWS:{aws}".encode()).decode()
    return {"authorizationToken": token, "expiresAt": in_seconds(43_200), "proxyEndpoint": PRIVATE}


@pytest.fixture
def aws(cloud: CloudServer, monkeypatch: pytest.MonkeyPatch) -> CloudServer:
    pytest.importorskip("botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-key")
    for service in ("ECR", "ECR_PUBLIC", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", cloud.address)
    cloud.say("POST /", Said(json.dumps({"authorizationData": [ecr_token()]}), headers=JSON))
    return cloud


def test_ecr_gives_a_password_for_twelve_hours(aws: CloudServer) -> None:
    lease = fetched(EcrFetcher(CLOCK), need("ecr:default"))
    assert lease.value == Credentials("AWS", Secret("aws-password"))
    assert lease.lifetime_s == pytest.approx(43_200, abs=60)
    (heard,) = aws.heard
    assert heard.headers["x-amz-target"].endswith(".GetAuthorizationToken")
    assert "/eu-west-1/ecr/" in heard.headers["authorization"]


def test_ecr_takes_the_region_of_the_source(aws: CloudServer) -> None:
    fetched(EcrFetcher(CLOCK), need("ecr:us-west-2"))
    assert "/us-west-2/ecr/" in aws.heard[0].headers["authorization"]


def test_the_public_registry_has_its_own_service(aws: CloudServer) -> None:
    aws.say("POST /", Said(json.dumps({"authorizationData": ecr_token("public")}), headers=JSON))
    lease = fetched(EcrFetcher(CLOCK), need("ecr:default", "https://public.ecr.aws"))
    assert lease.value == Credentials("AWS", Secret("public"))
    assert "/us-east-1/ecr-public/" in aws.heard[0].headers["authorization"]


def test_a_workload_on_aws_trades_its_token_for_keys(
    aws: CloudServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("web-identity")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/updater")
    with CloudServer() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.address)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        until = datetime.fromtimestamp(in_seconds(3600), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        sts.say("POST /", Said(_ASSUMED_ROLE.format(until=until), headers={"Content-Type": "text/xml"}))
        lease = fetched(EcrFetcher(CLOCK), need("ecr:default"))
        assert sts.heard[0].form["WebIdentityToken"] == "web-identity"
    assert lease.value.user == "AWS"
    assert aws.heard[0].headers["x-amz-security-token"] == "session-token"


_ASSUMED_ROLE = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>
  <SecretAccessKey>temporary-key</SecretAccessKey><SessionToken>session-token</SessionToken>
  <Expiration>{until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        pytest.param(
            Said(json.dumps({"__type": "AccessDeniedException", "message": "no right"}), 400, JSON),
            "AccessDeniedException",
            id="refused",
        ),
        pytest.param(Said('{"authorizationData": []}', headers=JSON), "holds no token", id="no token"),
        pytest.param(
            Said('{"authorizationData": [{"authorizationToken": "%%"}]}', headers=JSON), "not base64", id="garbage"
        ),
    ],
)
def test_what_aws_says_against_it_is_named(aws: CloudServer, said: Said, complaint: str) -> None:
    aws.say("POST /", said)
    with pytest.raises(CredentialError, match=complaint) as raised:
        fetched(EcrFetcher(CLOCK), need("ecr:default"))
    assert raised.value.code == "identity_failed"
    assert "ecr:default" in str(raised.value)
    assert "not-a-real-key" not in str(raised.value)


def test_without_an_aws_identity_there_are_no_credentials(aws: CloudServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialError, match="Unable to locate credentials"):
        fetched(EcrFetcher(CLOCK), need("ecr:default"))


@pytest.mark.parametrize(
    ("host", "value", "expected"),
    [
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "default", ("ecr", "cn-north-1")),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com:443", "default", ("ecr", "us-gov-west-1")),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "default", ("ecr", "eu-west-1")),
        ("public.ecr.aws", "eu-west-1", ("ecr-public", "us-east-1")),
        ("mirror.test", "default", ("ecr", "")),
        ("mirror.test", "eu-west-1", ("ecr", "eu-west-1")),
    ],
)
def test_host_and_source_decide_on_service_and_region(host: str, value: str, expected: tuple[str, str]) -> None:
    assert service_and_region(value, host) == expected


@pytest.fixture
def google(cloud: CloudServer, monkeypatch: pytest.MonkeyPatch) -> CloudServer:
    pytest.importorskip("google.auth")
    monkeypatch.setenv("GCE_METADATA_HOST", cloud.host)
    monkeypatch.setenv("GCE_METADATA_IP", cloud.host)
    # Read from the environment once, when the module is first loaded: in whichever test that was.
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", cloud.host)
    flavor = {"Metadata-Flavor": "Google", "Content-Type": "text/plain"}
    account = {"aliases": ["default"], "email": "updater@project", "scopes": ["cloud-platform"]}
    root = "GET /computeMetadata/v1"
    cloud.say("GET /", Said(headers=flavor))
    cloud.say(f"{root}/project/project-id", Said("project", headers=flavor))
    cloud.say(f"{root}/universe/universe-domain", Said("googleapis.com", headers=flavor))
    cloud.say(f"{root}/instance/service-accounts/default/", Said(json.dumps(account), headers={**flavor, **JSON}))
    token = Said(json.dumps({"access_token": "metadata-token", "expires_in": 3599}), headers={**flavor, **JSON})
    for name in ("default", "updater@project"):
        cloud.say(f"{root}/instance/service-accounts/{name}/token", token)
    return cloud


def test_gar_takes_the_token_of_the_metadata_service(google: CloudServer) -> None:
    lease = fetched(GarFetcher(CLOCK), need("gar:default", "https://europe-docker.pkg.dev"))
    assert lease.value == Credentials("oauth2accesstoken", Secret("metadata-token"))
    assert lease.lifetime_s == pytest.approx(3599, abs=300)
    assert any(heard.path.partition("?")[0].endswith("/token") for heard in google.heard)


def test_a_metadata_service_that_is_none_is_named(google: CloudServer) -> None:
    google.say("GET /computeMetadata/v1/project/project-id", Said("<html>", headers={"Metadata-Flavor": "Google"}))
    with pytest.raises(CredentialError, match="Google gives no access token: the answer lacks") as raised:
        fetched(GarFetcher(CLOCK), need("gar:default", "https://gcr.io"))
    assert raised.value.code == "identity_failed"


def service_account(path: Path, token_uri: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    fields = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "updater@project.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(fields))
    return f"gar:{path}"


def test_gar_signs_in_with_a_service_account_file(google: CloudServer, tmp_path: Path) -> None:
    answer = {"access_token": "account-token", "expires_in": 3600, "token_type": "Bearer"}
    google.say("POST /token", Said(json.dumps(answer), headers=JSON))
    source = service_account(tmp_path / "account.json", f"{google.address}/token")
    lease = fetched(GarFetcher(CLOCK), need(source, "https://gcr.io", expire_s=600.0))
    assert lease == Lease(Credentials("oauth2accesstoken", Secret("account-token")), 600.0)
    assert google.asked("/token")[0].form["grant_type"].endswith("jwt-bearer")


@pytest.mark.parametrize("problem", ["refused", "no key", "missing", "not JSON"])
def test_what_google_says_against_it_is_named(google: CloudServer, tmp_path: Path, problem: str) -> None:
    google.say("POST /token", Said('{"error": "invalid_grant"}', 400, JSON))
    path = tmp_path / "account.json"
    source = service_account(path, f"{google.address}/token")
    if problem == "no key":
        path.write_text(path.read_text().replace("PRIVATE KEY", "HUNTER2"))
    elif problem == "missing":
        path.unlink()
    elif problem == "not JSON":
        path.write_text("hunter2")
    with pytest.raises(CredentialError, match="Google gives no access token") as raised:
        fetched(GarFetcher(CLOCK), need(source, "https://gcr.io"))
    assert raised.value.code == "identity_failed"
    assert "hunter2" not in str(raised.value).lower()


@pytest.fixture
def azure(cloud: CloudServer, monkeypatch: pytest.MonkeyPatch) -> CloudServer:
    pytest.importorskip("azure.identity")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.address}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    token = {
        "access_token": "entra-token",
        "expires_on": str(int(in_seconds(86_000))),
        "resource": "https://containerregistry.azure.net",
        "token_type": "Bearer",
    }
    cloud.say("GET /msi/token", Said(json.dumps(token), headers=JSON))
    cloud.say("POST /oauth2/exchange", Said(json.dumps({"refresh_token": jwt(10_800)}), headers=JSON))
    return cloud


def jwt(seconds: float) -> str:
    def part(fields: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part({'exp': int(in_seconds(seconds))})}.c2lnbmVk"


def acr() -> AcrFetcher:
    return AcrFetcher(HttpOptions(), CLOCK)


def test_acr_exchanges_the_entra_token_at_the_registry(azure: CloudServer) -> None:
    lease = fetched(acr(), need("acr:default", azure.address))
    assert lease.value.kind is CredentialKind.IDENTITY_TOKEN
    assert lease.value.user == "00000000-0000-0000-0000-000000000000"
    assert lease.value.password.reveal().count(".") == 2
    assert lease.lifetime_s == pytest.approx(10_800, abs=60)
    (exchange,) = azure.asked("/oauth2/exchange")
    assert exchange.form == {"grant_type": "access_token", "service": azure.host, "access_token": "entra-token"}


def test_acr_uses_the_named_identity(azure: CloudServer) -> None:
    fetched(acr(), need("acr:6a0e1f0e-0000-0000-0000-000000000001", azure.address))
    assert azure.asked("/msi/token")[0].form["client_id"] == "6a0e1f0e-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    ("path", "said", "complaint"),
    [
        pytest.param("GET /msi/token", Said("{}", 400, JSON), "Azure gives no token", id="no identity"),
        pytest.param("POST /oauth2/exchange", Said("{}", 401, JSON), "HTTP 401", id="no role"),
        pytest.param("POST /oauth2/exchange", Said("hunter2", headers=JSON), "no refresh token", id="not JSON"),
        pytest.param("POST /oauth2/exchange", Said('{"refresh_token": "a b\\n"}'), "no refresh token", id="no header"),
        pytest.param("POST /oauth2/exchange", Said("x" * 70_000), "larger than the limit", id="endless"),
    ],
)
def test_what_azure_says_against_it_is_named(azure: CloudServer, path: str, said: Said, complaint: str) -> None:
    azure.say(path, said)
    with pytest.raises(CredentialError, match=complaint) as raised:
        fetched(acr(), need("acr:default", azure.address))
    assert raised.value.code == "identity_failed"
    for secret in ("hunter2", "entra-token"):
        assert secret not in str(raised.value)


def test_an_opaque_refresh_token_is_believed_for_an_hour(azure: CloudServer) -> None:
    azure.say("POST /oauth2/exchange", Said('{"refresh_token": "opaque"}', headers=JSON))
    assert fetched(acr(), need("acr:default", azure.address)).lifetime_s == 3600.0


def test_a_moment_without_time_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    naive = datetime(2026, 1, 1, 1, 0, tzinfo=UTC).replace(tzinfo=None)
    try:
        assert lifetime_s(naive, datetime(2026, 1, 1, tzinfo=UTC), 0.0, default_s=1.0) == 3600.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_that_is_wrong_does_not_fetch_for_every_image() -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    assert lifetime_s(past, datetime(2026, 1, 1, tzinfo=UTC), 0.0, default_s=1.0) == 60.0


@pytest.mark.parametrize("name", ["aws", "google", "azure"])
def test_what_the_libraries_log_holds_no_token(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    cloud: CloudServer = request.getfixturevalue(name)
    caplog.set_level(logging.DEBUG)
    fetchers: dict[str, EcrFetcher | GarFetcher | AcrFetcher] = {
        "aws": EcrFetcher(CLOCK),
        "google": GarFetcher(CLOCK),
        "azure": acr(),
    }
    sources = {"aws": need("ecr:default"), "google": need("gar:default"), "azure": need("acr:default", cloud.address)}
    secret = fetched(fetchers[name], sources[name]).value.password.reveal()
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for text in (secret, base64.b64encode(f"AWS:{secret}".encode()).decode(), "entra-token", "not-a-real-key"):
        assert text not in logged
    assert [record.name for record in caplog.records if record.name.startswith(("botocore", "google", "azure"))] == []


@pytest.mark.parametrize(
    ("fetch", "module", "source", "extra"),
    [
        (EcrFetcher(CLOCK), "botocore.session", "ecr:default", "ecr"),
        (GarFetcher(CLOCK), "google.auth.exceptions", "gar:default", "gar"),
        (AcrFetcher(HttpOptions(), CLOCK), "azure.identity", "acr:default", "acr"),
    ],
    ids=["ecr", "gar", "acr"],
)
def test_a_missing_library_names_its_extra(
    monkeypatch: pytest.MonkeyPatch,
    fetch: EcrFetcher | GarFetcher | AcrFetcher,
    module: str,
    source: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CredentialError, match=rf"pip install 'argocd-image-updater\[{extra}\]'") as raised:
        fetched(fetch, need(source))
    assert raised.value.code == "extra_missing"


@pytest.mark.parametrize(
    ("module", "roots"),
    [
        # The last one is for a mistake in the files that botocore ships, which would be a bug.
        ("botocore.exceptions", ("BotoCoreError", "ClientError", "UndefinedModelAttributeError")),
        ("google.auth.exceptions", ("GoogleAuthError",)),
        ("azure.core.exceptions", ("AzureError",)),
    ],
)
def test_every_error_of_the_libraries_has_a_root_that_is_mapped(module: str, roots: tuple[str, ...]) -> None:
    library = pytest.importorskip(module)
    caught = (*(getattr(library, root) for root in roots), *BROKEN_ANSWERS, Warning)
    found = [kind for kind in vars(library).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(found) > 5
    assert [kind.__name__ for kind in found if not issubclass(kind, caught) and kind.__module__ == module] == []


def test_no_library_of_a_cloud_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, updater.registry.credential_readers as r, updater.clock as c;"
        "r.build_credential_reader({}, c.SystemClock()).close();"
        "print([m for m in sys.modules if m.startswith(('botocore', 'google.auth', 'azure', 'msal'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
