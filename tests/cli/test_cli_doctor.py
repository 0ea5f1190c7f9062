"""``doctor`` behind each fault: it names the first failing layer and what to change, and shows no secret."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import grpc
import pytest
import trustme

from tests.cli.conftest import Command
from tests.wire.argocd.test_nginx import BINARY, Nginx
from updater.assembly.diagnosis import Diagnosis
from updater.assembly.surroundings import Surroundings
from updater.clock import SystemClock
from updater.model.findings import Verdict
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.showcase import Showcase
from updater.settings.parts import ConnectionSettings, RunSettings
from updater.transport.redaction import Secret

pytestmark = [pytest.mark.wire]


@dataclass(frozen=True)
class Servers:
    """One world behind every kind of server."""

    tls: GrpcWebServer
    rooted: GrpcWebServer
    native: NativeServer
    authority: str
    closed_port: int


@pytest.fixture(scope="module")
def servers(shop: Showcase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    for account in ("reader", "stranger"):
        shop.world.add_account(account, capabilities={"apiKey"})
    shop.world.allow("reader", "applications", "get", "*")
    with ExitStack() as stack:
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        yield Servers(
            tls=stack.enter_context(GrpcWebServer(shop.world, tls=context)),
            rooted=stack.enter_context(GrpcWebServer(shop.world, root_path="argo-cd")),
            native=shop.native,
            authority=str(path),
            closed_port=closed.getsockname()[1],
        )


def test_when_all_is_well_every_layer_passes(command: Command) -> None:
    done = command("doctor")

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "Every layer passed."
    layers = [line.split()[1] for line in done.out.splitlines() if line.startswith("  ") and "->" not in line]
    assert layers[:9] == ["address", "DNS", "TCP", "TLS", "ALPN", "gRPC-Web", "gRPC", "root", "token"]


def test_a_verified_connection_names_its_certificate(command: Command, servers: Servers) -> None:
    done = command(
        "doctor", ARGOCD_SERVER=servers.tls.address, ARGOCD_PLAINTEXT="false", ARGOCD_SERVER_CRT=servers.authority
    )

    assert done.status == 0, done.out
    assert "TLSv1.3, certificate of trustme" in done.out
    assert "the server selects nothing" in done.out


def test_native_grpc_over_tls_passes_every_layer(command: Command, shop: Showcase, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pair = (issued.private_key_pem.bytes(), b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    with NativeServer(shop.world, credentials=grpc.ssl_server_credentials([pair])) as server:
        done = command(
            "doctor",
            ARGOCD_SERVER=server.address,
            ARGOCD_GRPC_WEB="false",
            ARGOCD_PLAINTEXT="false",
            ARGOCD_SERVER_CRT=str(tmp_path / "ca.pem"),
        )

    assert done.status == 0, done.out
    assert "ok    ALPN            the server selects h2" in done.out
    assert "note  gRPC-Web        not used, and does not work here" in done.out
    assert "ok    gRPC            Argo CD v3.5.1 answers" in done.out


Change = Callable[[Servers, Showcase], dict[str, str]]


@pytest.mark.parametrize(
    ("change", "layer", "fragment", "hint"),
    [
        pytest.param(
            lambda _, __: {"ARGOCD_SERVER": "ftp://host"},
            "address",
            "cannot be used",
            "https://",
            id="address",
        ),
        pytest.param(
            lambda _, __: {"ARGOCD_SERVER": "argocd.invalid"}, "DNS", "cannot be resolved", "host name", id="name"
        ),
        pytest.param(
            lambda servers, _: {"ARGOCD_SERVER": f"127.0.0.1:{servers.closed_port}"},
            "TCP",
            "cannot be made",
            "host and port",
            id="port",
        ),
        pytest.param(
            lambda servers, _: {"HTTP_PROXY": f"http://bot:planted@127.0.0.1:{servers.closed_port}", "NO_PROXY": ""},
            "TCP",
            "the proxy 127.0.0.1: the connection cannot be made",
            "HTTPS_PROXY and NO_PROXY",
            id="proxy",
        ),
        pytest.param(
            lambda _, __: {"ARGOCD_PLAINTEXT": "false"},
            "TLS",
            "handshake failed",
            "--argocd-plaintext",
            id="no TLS",
        ),
        pytest.param(
            lambda servers, _: {"ARGOCD_SERVER": servers.tls.address},
            "TLS",
            "this port speaks TLS",
            "drop --argocd-plaintext",
            id="TLS meant plain",
        ),
        pytest.param(
            lambda servers, _: {"ARGOCD_SERVER": servers.tls.address, "ARGOCD_PLAINTEXT": "false"},
            "TLS",
            "unable to get local issuer",
            "--argocd-server-crt",
            id="authority",
        ),
        pytest.param(
            lambda servers, _: {
                "ARGOCD_SERVER": servers.tls.address,
                "ARGOCD_PLAINTEXT": "false",
                "ARGOCD_SERVER_CRT": servers.authority,
                "ARGOCD_GRPC_WEB": "false",
            },
            "ALPN",
            "selects nothing",
            "--argocd-grpc-web",
            id="no HTTP/2",
        ),
        pytest.param(
            lambda servers, _: {"ARGOCD_SERVER": servers.native.address},
            "gRPC-Web",
            "not HTTP",
            "native gRPC works here: drop --argocd-grpc-web",
            id="a native port",
        ),
        pytest.param(
            lambda _, __: {"ARGOCD_GRPC_WEB": "false"},
            "gRPC",
            "UNAVAILABLE",
            "gRPC-Web works here",
            id="a web port",
        ),
        pytest.param(
            lambda _, __: {"ARGOCD_GRPC_WEB_ROOT_PATH": "wrong"},
            "root path",
            "Argo CD is not under /wrong, it is published without a root path",
            "drop the root path",
            id="root path too many",
        ),
        pytest.param(
            lambda servers, _: {"ARGOCD_SERVER": servers.rooted.address, "ARGOCD_GRPC_WEB_ROOT_PATH": "nowhere"},
            "gRPC-Web",
            "404",
            "--argocd-grpc-web-root-path",
            id="root path unknown",
        ),
        pytest.param(lambda _, __: {"ARGOCD_TOKEN": ""}, "token", "there is no token", "ARGOCD_TOKEN", id="no token"),
        pytest.param(
            lambda _, __: {"ARGOCD_TOKEN": "planted-token"}, "token", "malformed", "generate-token", id="bad token"
        ),
        pytest.param(
            lambda _, shop: {"ARGOCD_TOKEN": shop.world.issue_token(lifetime_s=-60)},
            "token",
            "expired",
            "make a new one",
            id="expired token",
        ),
        pytest.param(
            lambda _, shop: {"ARGOCD_TOKEN": shop.world.issue_token("reader")},
            "RBAC",
            "may not update default/",
            "applications, update, default/*",
            id="may not write",
        ),
        pytest.param(
            lambda _, shop: {"ARGOCD_TOKEN": shop.world.issue_token("stranger")},
            "RBAC",
            "sees no Application",
            "applications, get, <project>/*",
            id="may not read",
        ),
    ],
)
def test_the_first_failing_layer_says_what_to_change(
    command: Command,
    servers: Servers,
    shop: Showcase,
    *,
    change: Change,
    layer: str,
    fragment: str,
    hint: str,
) -> None:
    environment = change(servers, shop)

    done = command("doctor", "--output", "json", **environment)

    assert done.status == 1
    failure = done.document["firstFailure"]
    assert (failure["subject"], failure["layer"]) == ("Argo CD", layer), done.out
    assert fragment in failure["text"]
    assert hint in failure["hint"]
    after = [each for each in done.document["findings"] if each["subject"] == "Argo CD"]
    verdicts = [each["verdict"] for each in after][[each["layer"] for each in after].index(layer) + 1 :]
    assert set(verdicts) <= {"skipped"}
    assert "planted" not in done.out + done.err


class FastClock(SystemClock):
    """Runs ahead of everybody."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=3)


def test_a_clock_that_is_off_is_the_failure(shop: Showcase) -> None:
    connection = ConnectionSettings(
        shop.web.address, is_grpc_web=True, is_plaintext=True, token=Secret(shop.world.issue_token())
    )
    diagnosis = Diagnosis(RunSettings(connection), Surroundings({}, FastClock()))
    try:
        findings = {(each.subject, each.layer): each.seen for each in diagnosis.findings()}
    finally:
        diagnosis.close()

    seen = findings["Argo CD", "clock"]
    assert (seen.verdict, seen.code) == (Verdict.FAILED, "clock_skew")
    assert "ahead of the server" in seen.text


def test_what_is_worth_knowing_warns_and_does_not_fail(command: Command, servers: Servers, shop: Showcase) -> None:
    done = command(
        "doctor",
        "--argocd-insecure",
        ARGOCD_SERVER=servers.tls.address,
        ARGOCD_PLAINTEXT="false",
        ARGOCD_TOKEN=shop.world.issue_token(lifetime_s=3_600),
    )

    assert done.status == 0, done.out
    assert "the certificate is not verified" in done.out
    assert "the Argo CD token expires on" in done.out


def test_a_dry_run_needs_no_right_to_write(command: Command, shop: Showcase, servers: Servers) -> None:
    done = command("doctor", "--dry-run", ARGOCD_TOKEN=shop.world.issue_token("reader"))

    assert done.status == 0, done.out
    assert "a dry run needs no more" in done.out


@pytest.mark.parametrize(
    ("credentials", "verdict", "fragment"),
    [
        pytest.param("", "warning", "wants credentials, and none are configured", id="none"),
        pytest.param("env:LOGIN", "passed", "accepts the credentials", id="good"),
        pytest.param("env:OTHER", "failed", "401", id="refused"),
        pytest.param("env:NOTHING", "failed", "NOTHING", id="missing"),
    ],
)
def test_each_registry_is_asked_with_its_credentials(
    command: Command, tmp_path: Path, credentials: str, verdict: str, fragment: str
) -> None:
    with PlaygroundRegistry() as registry:
        registry.require_basic("bot", "planted-password")
        conf = tmp_path / "registries.conf"
        lines = f"registries:\n- name: own\n  prefix: own.example.com\n  api_url: {registry.address}\n"
        conf.write_text(lines + (f"  credentials: {credentials}\n" if credentials else ""))
        done = command(
            "doctor",
            "--registries-conf-path",
            str(conf),
            "--output=json",
            LOGIN="bot:planted-password",
            OTHER="bot:planted-other",
        )

    (finding,) = [each for each in done.document["findings"] if each["subject"] == "Registry own"]
    assert finding["verdict"] == verdict
    assert fragment in finding["text"]
    assert done.status == (1 if verdict == "failed" else 0)
    assert "planted" not in done.out + done.err


def test_a_registry_that_is_gone_does_not_hide_the_others(command: Command, servers: Servers, tmp_path: Path) -> None:
    conf = tmp_path / "registries.conf"
    entry = "- name: {0}\n  prefix: {0}.example.com\n  api_url: http://127.0.0.1:{1}\n"
    conf.write_text("registries:\n" + entry.format("a", servers.closed_port) + entry.format("b", servers.closed_port))

    done = command("doctor", "--registries-conf-path", str(conf))

    assert done.status == 1
    assert done.out.count("FAIL  access") == 2
    assert "First failure: Registry a, access:" in done.out


def test_doctor_looks_through_nginx(command: Command, servers: Servers, tmp_path: Path) -> None:
    if not BINARY:
        pytest.skip("the Debian package nginx-light is not installed")
    nginx = Nginx(tmp_path, servers.rooted.address, "1m")
    try:
        base = {"ARGOCD_PLAINTEXT": "false", "ARGOCD_SERVER_CRT": nginx.ca_file}
        good = command("doctor", ARGOCD_SERVER=f"127.0.0.1:{nginx.tls_port}/argo-cd", **base)
        bare = command("doctor", ARGOCD_SERVER=f"127.0.0.1:{nginx.tls_port}", **base)
    finally:
        nginx.close()

    assert good.status == 0, good.out
    assert "ok    clock" in good.out
    assert bare.status == 1
    assert "First failure: Argo CD, gRPC-Web: " in bare.out
    assert "check the address and --argocd-grpc-web-root-path" in bare.out
