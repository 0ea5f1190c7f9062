"""Bad input to the program as a process: one clear line that says what, where and what to do, and the exit status."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.ports import free_port
from tests.program import program_command
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.showcase import Showcase
from updater.playground.world import World

pytestmark = [pytest.mark.wire, pytest.mark.e2e]


@dataclass
class Site:
    """One API server with a token, in a mode that a test chooses."""

    stack: ExitStack
    folder: Path
    world: World = field(default_factory=World)
    authority: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        self.token = self.world.issue_token()

    def plain(self, **options: str) -> GrpcWebServer:
        return self.stack.enter_context(GrpcWebServer(self.world, **options))

    def tls(self) -> GrpcWebServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return self.stack.enter_context(GrpcWebServer(self.world, tls=context))

    def authority_file(self) -> str:
        path = self.folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return str(path)


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack, tmp_path)


def run(*words: str, environment: Mapping[str, str]) -> Result:
    command = [
        *program_command(),
        "run",
        "--once",
        "--applications-api",
        "argocd",
    ]
    done = subprocess.run(
        [*command, "--disable-kubernetes", "--argocd-grpc-web", "--registries-conf-path=", "--metrics-port=0", *words],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def one_line(result: Result, *fragments: str) -> str:
    """The one line on standard error of a failed run; it holds every fragment."""
    assert result.status == 1, result
    assert len(result.error_lines) == 1, result.err
    line = result.error_lines[0]
    for fragment in fragments:
        assert fragment in line
    return line


def test_a_good_configuration_ends_with_status_0(site: Site) -> None:
    server = site.plain()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    assert result.status == 0, result
    assert result.err == ""


def test_a_token_of_another_installation(site: Site) -> None:
    server = site.plain()
    token = World().issue_token()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": token})

    line = one_line(result, server.url, "signature is invalid", "belongs to another Argo CD")
    assert token not in line + result.out


def test_no_token(site: Site) -> None:
    server = site.plain()
    result = run("--argocd-server-addr", server.url, environment={})

    one_line(result, server.url, "no session information", "ARGOCD_TOKEN")


def test_a_text_that_is_no_token(site: Site) -> None:
    server = site.plain()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": "hunter2-secret"})

    line = one_line(result, server.url, "argocd account generate-token")
    assert "hunter2-secret" not in line + result.out


def test_an_expired_token(site: Site) -> None:
    server = site.plain()
    site.world.expire_token(site.token)
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "the token has expired", "argocd account generate-token")


def test_a_bad_token_is_noticed_where_anonymous_access_is_on(site: Site) -> None:
    server = site.plain()
    site.world.configure(is_anonymous_enabled=True)
    site.world.expire_token(site.token)
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "does not accept the token")


@pytest.mark.parametrize("form", ["{}\n", "  {}  ", '"{}"', "Bearer {}", "\n{}\r\n"])
def test_what_is_pasted_around_a_token_does_no_harm(site: Site, form: str) -> None:
    server = site.plain()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": form.format(site.token)})

    assert result.status == 0, result


def test_a_token_file_with_a_newline_is_read(site: Site) -> None:
    server = site.plain()
    path = site.folder / "token"
    path.write_text(f"{site.token}\n")
    result = run("--argocd-server-addr", server.url, "--argocd-auth-token-file", str(path), environment={})

    assert result.status == 0, result


def test_a_token_of_two_words(site: Site) -> None:
    server = site.plain()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": f"{site.token} trailing"})

    line = one_line(result, "not one word")
    assert site.token not in line


def test_a_token_file_that_is_missing(site: Site) -> None:
    server = site.plain()
    path = str(site.folder / "nowhere")
    result = run("--argocd-server-addr", server.url, "--argocd-auth-token-file", path, environment={})

    one_line(result, path, "cannot be read", "--argocd-auth-token-file")


def test_a_host_that_does_not_exist(site: Site) -> None:
    result = run("--argocd-server-addr", "argocd.invalid", environment={"ARGOCD_TOKEN": site.token})

    one_line(result, "https://argocd.invalid", "host name cannot be resolved", "--argocd-server-addr")


def test_a_port_where_nobody_listens(site: Site) -> None:
    port = free_port()
    result = run("--argocd-server-addr", f"http://127.0.0.1:{port}", environment={"ARGOCD_TOKEN": site.token})

    one_line(result, f"127.0.0.1:{port}", "Connection refused", "--argocd-server-addr")


def test_an_address_with_user_info(site: Site) -> None:
    result = run("--argocd-server-addr", "https://user:hunter2@argocd", environment={"ARGOCD_TOKEN": site.token})

    line = one_line(result, "--argocd-server-addr", "it holds user info", "ARGOCD_TOKEN")
    assert "hunter2" not in line + result.out


@pytest.mark.parametrize("address", ["ftp://argocd", "argocd:port", "https://", "a b", "::1"])
def test_an_address_of_no_use(site: Site, address: str) -> None:
    result = run("--argocd-server-addr", address, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, "--argocd-server-addr", "write host, host:port or https://")


def test_plain_http_to_a_tls_port(site: Site) -> None:
    server = site.tls()
    address = server.url.replace("https://", "http://")
    result = run("--argocd-server-addr", address, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, address, "drop --argocd-plaintext")


def test_tls_to_a_plain_port(site: Site) -> None:
    server = site.plain()
    address = server.url.replace("http://", "https://")
    result = run("--argocd-server-addr", address, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, address, "TLS handshake failed", "--argocd-plaintext")


def test_a_certificate_of_an_unknown_authority(site: Site) -> None:
    server = site.tls()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "TLS handshake failed", "--argocd-server-crt", "--argocd-insecure")


def test_a_private_authority_is_trusted_by_its_file(site: Site) -> None:
    server = site.tls()
    words = ["--argocd-server-addr", server.url, "--argocd-server-crt", site.authority_file()]
    result = run(*words, environment={"ARGOCD_TOKEN": site.token})

    assert result.status == 0, result


def test_an_unverified_certificate_is_accepted_with_a_warning(site: Site) -> None:
    server = site.tls()
    words = ["--argocd-server-addr", server.url, "--argocd-insecure"]
    result = run(*words, environment={"ARGOCD_TOKEN": site.token})

    assert result.status == 0, result
    assert "level=warning" in result.out


def test_a_missing_path_prefix(site: Site) -> None:
    server = site.plain(root_path="argo-cd")
    address = server.url.removesuffix("/argo-cd")
    result = run("--argocd-server-addr", address, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, address, "HTTP status 404", "--argocd-grpc-web-root-path")


@pytest.mark.parametrize("as_option", [True, False], ids=["as an option", "in the address"])
def test_a_path_prefix_is_followed(site: Site, as_option: bool) -> None:  # noqa: FBT001 - a parameter of the table
    server = site.plain(root_path="argo-cd")
    words = ["--argocd-server-addr", server.url]
    if as_option:
        words = ["--argocd-server-addr", server.url.removesuffix("/argo-cd"), "--argocd-grpc-web-root-path=/argo-cd/"]
    result = run(*words, environment={"ARGOCD_TOKEN": site.token})

    assert result.status == 0, result


@pytest.mark.slow
def test_a_proxy_that_strips_trailers(site: Site) -> None:
    server = site.plain()
    server.faults.strip_trailers()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "ends without trailers", "strips gRPC-Web trailers")


@pytest.mark.slow
def test_a_truncated_frame(site: Site) -> None:
    server = site.plain()
    server.faults.truncate_after(7)
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "ends", "the connection was cut")


def test_a_frame_over_the_cap(site: Site) -> None:
    server = site.plain()
    server.faults.oversized_frame()
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "larger than max", "--argocd-max-message-size")


def test_a_listing_over_the_cap(site: Site) -> None:
    server = site.plain()
    with Showcase() as showcase:
        words = ["--argocd-server-addr", showcase.web.url, "--argocd-max-message-size", "64"]
        result = run(*words, environment={"ARGOCD_TOKEN": showcase.token})

    assert server.url
    one_line(result, "larger than max", "--argocd-projects")


def test_a_server_that_never_answers(site: Site) -> None:
    server = site.plain()
    server.faults.never_answer()
    words = ["--argocd-server-addr", server.url, "--argocd-timeout", "500ms"]
    result = run(*words, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "the deadline passed", "--argocd-timeout")


def test_a_login_page(site: Site) -> None:
    server = site.plain()
    server.faults.answer(302, {"Location": "https://login.example.com/sign-in?rd=secret"}, b"")
    result = run("--argocd-server-addr", server.url, environment={"ARGOCD_TOKEN": site.token})

    line = one_line(result, "HTTP status 302", "https://login.example.com/sign-in", "--argocd-header")
    assert "rd=secret" not in line


def test_native_grpc_to_an_http_port_names_grpc_web(site: Site) -> None:
    server = site.plain()
    words = ["--argocd-server-addr", server.url, "--argocd-grpc-web=false", "--argocd-timeout", "3s"]
    result = run(*words, environment={"ARGOCD_TOKEN": site.token})

    one_line(result, server.url, "--argocd-grpc-web")


def test_an_application_with_nonsense_annotations_costs_no_other(site: Site) -> None:
    with Showcase() as showcase:
        registries = site.folder / "registries.conf"
        registries.write_text(showcase.registries_conf)
        showcase.push_release("web", "1.0.1")
        result = run(
            "--argocd-server-addr",
            showcase.web.url,
            f"--registries-conf-path={registries}",
            environment={"ARGOCD_TOKEN": showcase.token},
        )
        parameters = showcase.world.application("shop-web").spec.source.helm.parameters

    assert result.status == 0, result
    line = "\n".join(result.error_lines)
    assert len(result.error_lines) == 1
    assert "argocd/shop-typo" in line
    assert "~one.two" in line
    assert [entry.value for entry in parameters if entry.name == "image.tag"] == ["1.0.1"]
