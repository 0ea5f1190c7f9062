"""Each wrong setting ends in one clear line: what failed, where, and what to change."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from transport.raw_peers import RawServer, answers, proxy, read_request, silent

from tests.ports import free_port
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, CallTimeouts, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.tokens import StaticToken, clean_token
from updater.argocd.webcalls import WireOptions
from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import (
    ArgoCDError,
    ArgoCDExhausted,
    ArgoCDForeignAnswer,
    ArgoCDProtocolError,
    ArgoCDTimeout,
    ArgoCDUnavailable,
    ArgoCDUnreachable,
    ConfigurationError,
)
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

pytestmark = pytest.mark.wire

WAIT_S = 20.0
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
GO_TEXT = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

ClientOf = Callable[..., ArgoCDClient]


@pytest.fixture
def client_of(clock: SystemClock) -> Iterator[ClientOf]:
    """``client_of(url, use_grpc_web=False, tls=...)``: one attempt per call."""
    made: list[ArgoCDClient] = []

    def build(
        url: str, *, token: str = "", timeout_s: float = 15.0, headers: tuple[tuple[str, str], ...] = (), **options: Any
    ) -> ArgoCDClient:
        facts = ClientOptions(
            url,
            timeouts=CallTimeouts.all_of(timeout_s),
            read_backoff=Backoff(attempts=1, base_s=0.0, cap_s=0.0),
        )
        wire = ConnectionOptions(WireOptions(parse_address(url), "tests/1", headers), **options)
        client = connect(wire, facts, StaticToken(token, "test"), clock, NullLog())
        made.append(client)
        return client

    yield build
    for client in made:
        client.close()


@pytest.fixture
def error_of(clock: SystemClock) -> Callable[[ArgoCDClient], ArgoCDError]:
    def ask(client: ArgoCDClient) -> ArgoCDError:
        with pytest.raises(ArgoCDError) as caught:
            client.fetch_version(Deadline.after(clock, WAIT_S))
        line = str(caught.value)
        assert line.startswith(f"asking for the version at {client.server}: ")
        assert line.endswith(f"; {caught.value.hint}")
        assert len(line.splitlines()) == 1
        assert len(line) < 900
        return caught.value

    return ask


ErrorOf = Callable[[ArgoCDClient], ArgoCDError]


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


def server_context(authority: trustme.CA, *names: str, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


@pytest.mark.parametrize("use_grpc_web", [True, False])
def test_a_name_that_does_not_exist_is_named(*, use_grpc_web: bool, client_of: ClientOf, error_of: ErrorOf) -> None:
    error = error_of(client_of("http://argo.invalid", use_grpc_web=use_grpc_web))
    assert isinstance(error, ArgoCDUnreachable)
    assert "--argocd-server-addr" in error.hint
    assert error.retryable


@pytest.mark.parametrize("use_grpc_web", [True, False])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_where_nobody_listens_is_named(
    scheme: str, *, use_grpc_web: bool, client_of: ClientOf, error_of: ErrorOf
) -> None:
    error = error_of(client_of(f"{scheme}://127.0.0.1:{free_port()}", use_grpc_web=use_grpc_web))
    assert isinstance(error, ArgoCDUnreachable)
    assert "refused" in error.what.lower()
    assert "--argocd-server-addr" in error.hint


def close_at_once(connection: socket.socket, server: RawServer) -> None:
    connection.recv(65536)


def alert(connection: socket.socket, server: RawServer) -> None:
    # All of the request: closing over what is unread would reset the connection, perhaps before the alert arrives.
    read_request(connection)
    connection.sendall(ALERT)


WRONG_PROTOCOL: dict[str, tuple[str, Callable[[socket.socket, RawServer], None], type[ArgoCDError], str, str]] = {
    "TLS to a server that just closes": (
        "https",
        close_at_once,
        ArgoCDUnreachable,
        "the TLS handshake failed",
        "this port seems to speak plain HTTP: add --argocd-plaintext",
    ),
    "TLS to a server that answers in plain HTTP": (
        "https",
        lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ArgoCDUnreachable,
        "the TLS handshake failed",
        "this port seems to speak plain HTTP: add --argocd-plaintext",
    ),
    "plain HTTP to a server written in Go": (
        "http",
        answers(GO_TEXT),
        ArgoCDForeignAnswer,
        "Client sent an HTTP request to an HTTPS server.",
        "this port speaks TLS: drop --argocd-plaintext",
    ),
    "plain HTTP to a server that sends an alert": (
        "http",
        alert,
        ArgoCDUnreachable,
        "the answer is not HTTP",
        "if this port speaks TLS, drop --argocd-plaintext",
    ),
    "plain HTTP to a server that just closes": (
        "http",
        close_at_once,
        ArgoCDUnreachable,
        "the connection was closed before the answer",
        "if this port speaks TLS, drop --argocd-plaintext",
    ),
}


@pytest.mark.parametrize("row", WRONG_PROTOCOL.values(), ids=WRONG_PROTOCOL)
def test_tls_and_plain_http_mixed_up_are_told_apart(row: Any, client_of: ClientOf, error_of: ErrorOf) -> None:
    scheme, serve, category, what, hint = row
    with RawServer(serve) as server:
        error = error_of(client_of(f"{scheme}://127.0.0.1:{server.port}"))
    assert isinstance(error, category)
    assert what in error.what
    assert hint in error.hint


def test_plain_http_to_argocd_server_with_tls_is_named(
    world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with GrpcWebServer(world, tls=server_context(authority)) as server:
        address = server.address
        error = error_of(client_of(f"http://{address}"))
    assert f"HTTP status 307, a redirect to https://{address}" in error.what
    assert "drop --argocd-plaintext" in error.hint


def test_tls_to_argocd_server_without_it_is_named(web: GrpcWebServer, client_of: ClientOf, error_of: ErrorOf) -> None:
    error = error_of(client_of(f"https://{web.address}"))
    assert "the TLS handshake failed" in error.what
    assert "--argocd-plaintext" in error.hint
    assert not error.retryable


def test_an_unknown_authority_is_named(
    world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with GrpcWebServer(world, tls=server_context(authority)) as server:
        error = error_of(client_of(server.url))
    assert "unable to get local issuer certificate" in error.what
    assert "--argocd-server-crt" in error.hint
    assert not error.retryable


def test_another_host_name_is_named(
    tmp_path: Path, world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with GrpcWebServer(world, tls=server_context(authority, "argo.test")) as server:
        error = error_of(client_of(server.url, tls=TlsOptions(ca_file=str(tmp_path / "ca.pem"))))
    assert "not valid for '127.0.0.1'" in error.what
    assert "use a host name that the certificate holds" in error.hint


def test_a_demanded_client_certificate_is_named(
    tmp_path: Path, world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with GrpcWebServer(world, tls=context) as server:
        error = error_of(client_of(server.url, tls=TlsOptions(ca_file=str(tmp_path / "ca.pem"))))
    assert "--argocd-client-crt" in error.hint


def test_a_proxy_that_is_not_there_is_named(client_of: ClientOf, error_of: ErrorOf) -> None:
    proxies = ProxyOptions(https="http://ann:s3cret@proxy.invalid:3128")
    error = error_of(client_of("https://argo.test", proxies=proxies))
    assert "the proxy refused the connection" in error.what
    assert "HTTPS_PROXY" in error.hint
    assert "s3cret" not in str(error)


@pytest.mark.parametrize("use_grpc_web", [True, False])
def test_a_server_that_never_answers_ends_with_the_deadline(
    *, use_grpc_web: bool, world: World, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with RawServer(silent) as server:
        url = f"http://127.0.0.1:{server.port}"
        error = error_of(client_of(url, timeout_s=0.3, use_grpc_web=use_grpc_web))
    assert isinstance(error, ArgoCDTimeout)
    assert "--argocd-timeout" in error.hint


SPOILT: dict[str, tuple[Callable[[GrpcWebServer], None], type[ArgoCDError], str, str]] = {
    "a proxy that strips trailers": (
        lambda web: web.faults.strip_trailers(),
        ArgoCDUnavailable,
        "without trailers after 1 messages",
        "a proxy strips gRPC-Web trailers",
    ),
    "a frame that is cut": (
        lambda web: web.faults.truncate_after(7),
        ArgoCDUnavailable,
        "the answer ends too early",
        "the connection was cut",
    ),
    "a frame over the limit": (
        lambda web: web.faults.oversized_frame(),
        ArgoCDExhausted,
        "larger than max: a frame of 4294967295 bytes",
        "raise --argocd-max-message-size",
    ),
    "a compressed frame": (
        lambda web: web.faults.compressed_flag(),
        ArgoCDProtocolError,
        "a compressed frame, which nobody asked for",
        "changes the body",
    ),
    "a login page": (
        lambda web: web.faults.answer(200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"),
        ArgoCDForeignAnswer,
        'saying "Sign in"',
        "--argocd-header",
    ),
}


@pytest.mark.parametrize("row", SPOILT.values(), ids=SPOILT)
def test_an_answer_that_something_spoilt_is_named(
    row: Any, web: GrpcWebServer, client_of: ClientOf, error_of: ErrorOf
) -> None:
    spoil, category, what, hint = row
    spoil(web)
    error = error_of(client_of(web.url))
    assert type(error) is category
    assert what in error.what
    assert hint in error.hint


BROKEN_TOKENS = {
    "two words": "eyJhbGciOi eyJzdWIiOi",
    "two lines": "eyJhbGciOi\neyJzdWIiOi",
    "a control character": "eyJhbGciOi\x00",
    "a letter outside ASCII": "eyJhbGciOi\u00e9",
    "a whole file": "eyJ" + "x" * 100_000,
}


@pytest.mark.parametrize("text", BROKEN_TOKENS.values(), ids=BROKEN_TOKENS)
def test_a_text_that_cannot_be_a_token_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        clean_token(text, "ARGOCD_TOKEN")
    assert str(caught.value).startswith("ARGOCD_TOKEN: the Argo CD token is not one word")
    assert "argocd account generate-token" in caught.value.hint
    assert "eyJ" not in str(caught.value)


ADDRESSES = {
    "empty": ("", "it is empty"),
    "another scheme": ("ftp://argo.test", "neither http nor https"),
    "a port that is none": ("argo.test:http", "the port or the brackets are wrong"),
    "a port too high": ("argo.test:99999", "the port or the brackets are wrong"),
    "no port after the colon": ("argo.test:", "the port is missing or zero"),
    "user info": ("https://ann:s3cret@argo.test", "user info"),
    "a query": ("https://argo.test?x=1", "query"),
    "a blank inside": ("argo test", "host name"),
    "IPv6 without brackets": ("fd00::1", ""),
}


@pytest.mark.parametrize(("text", "why"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_is_none_is_refused_with_the_form_it_should_have(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_address(text)
    assert caught.value.code == "bad_argocd_address"
    assert why in caught.value.what
    assert "write host, host:port or https://" in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_the_product_that_servers_check_is_refused(clock: SystemClock) -> None:
    wire = WireOptions(parse_address("https://argo.test"), "argocd-client/1.0.0")
    with pytest.raises(ConfigurationError, match="--argocd-user-agent"):
        connect(ConnectionOptions(wire), ClientOptions("x"), StaticToken("", "test"), clock, NullLog())


HEADERS = {
    "of the protocol": ("Content-Type", "text/plain", "belongs to the protocol"),
    "of gRPC": ("grpc-timeout", "1S", "belongs to the protocol"),
    "a letter outside ASCII": ("X-Access", "sch\u00f6n", "characters that a header cannot carry"),
}


@pytest.mark.parametrize(("name", "value", "why"), HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("use_grpc_web", [True, False])
def test_a_header_that_cannot_be_sent_is_refused_before_the_first_call(
    name: str, value: str, why: str, *, use_grpc_web: bool, client_of: ClientOf
) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        client_of("http://argo.test", headers=((name, value),), use_grpc_web=use_grpc_web)
    assert caught.value.code == "bad_header"
    assert value not in str(caught.value)


@pytest.mark.parametrize("use_grpc_web", [True, False])
def test_the_operators_headers_go_with_every_call(
    *, use_grpc_web: bool, world: World, web: GrpcWebServer, native: NativeServer, client_of: ClientOf, clock: Any
) -> None:
    url = web.url if use_grpc_web else f"http://{native.address}"
    client = client_of(url, headers=(("X-Access", "yes"),), use_grpc_web=use_grpc_web)
    client.fetch_version(Deadline.after(clock, WAIT_S))
    assert world.calls[0].metadata["x-access"] == "yes"


# Native gRPC


def test_native_grpc_to_a_server_without_alpn_is_told_to_use_grpc_web(
    tmp_path: Path, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with RawServer(silent, tls=server_context(authority)) as server:
        tls = TlsOptions(ca_file=str(tmp_path / "ca.pem"))
        error = error_of(client_of(f"https://127.0.0.1:{server.port}", use_grpc_web=False, tls=tls))
    assert isinstance(error, ArgoCDUnreachable)
    assert "ALPN" in error.what
    assert "use --argocd-grpc-web" in error.hint
    assert not error.retryable


def test_native_grpc_to_an_unknown_authority_is_named(
    world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
    with NativeServer(world, credentials=credentials) as server:
        error = error_of(client_of(f"https://{server.address}", use_grpc_web=False))
    assert isinstance(error, ArgoCDUnreachable)
    assert "--argocd-server-crt" in error.hint
    assert not error.retryable


@pytest.mark.parametrize("tls", ["ca", "insecure"])
def test_native_grpc_over_tls_is_answered(
    tls: str, tmp_path: Path, world: World, authority: trustme.CA, client_of: ClientOf, clock: SystemClock
) -> None:
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
    options = TlsOptions(insecure=True) if tls == "insecure" else TlsOptions(ca_file=str(tmp_path / "ca.pem"))
    with NativeServer(world, credentials=credentials) as server:
        client = client_of(f"https://{server.address}", use_grpc_web=False, tls=options)
        assert client.fetch_version(Deadline.after(clock, WAIT_S)).Version == world.environment.version


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_native_grpc_with_tls_and_plaintext_mixed_up_is_unreachable(
    scheme: str, world: World, authority: trustme.CA, client_of: ClientOf, error_of: ErrorOf
) -> None:
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)]) if scheme == "http" else None
    with NativeServer(world, credentials=credentials) as server:
        error = error_of(client_of(f"{scheme}://{server.address}", use_grpc_web=False))
    assert isinstance(error, ArgoCDUnreachable)
    assert "--argocd-plaintext" in error.hint


def test_native_grpc_goes_through_the_chosen_proxy(
    world: World, native: NativeServer, client_of: ClientOf, clock: SystemClock
) -> None:
    with RawServer(proxy) as between:
        proxies = ProxyOptions(http=f"http://127.0.0.1:{between.port}")
        client = client_of(f"http://{native.address}", use_grpc_web=False, proxies=proxies)
        assert client.fetch_version(Deadline.after(clock, WAIT_S)).Version == world.environment.version
        client.close()
        assert between.requests[0].startswith(f"CONNECT {native.address} ".encode())


def test_a_root_path_that_the_server_does_not_know_is_named(
    world: World, client_of: ClientOf, error_of: ErrorOf
) -> None:
    with GrpcWebServer(world) as web:
        error = error_of(client_of(f"{web.url}/argo-cd"))
    assert "--argocd-grpc-web-root-path" in error.hint


def test_native_grpc_refuses_a_root_path(client_of: ClientOf) -> None:
    with pytest.raises(ConfigurationError, match="native gRPC knows no root path; use --argocd-grpc-web"):
        client_of("https://argo.test/argo-cd", use_grpc_web=False)


def test_native_grpc_names_a_file_that_cannot_be_read(tmp_path: Path, client_of: ClientOf) -> None:
    with pytest.raises(ConfigurationError, match="PEM file") as caught:
        client_of("https://argo.test", use_grpc_web=False, tls=TlsOptions(ca_file=str(tmp_path / "none.pem")))
    assert str(tmp_path / "none.pem") in str(caught.value)


def test_native_grpc_without_verification_names_a_server_that_is_not_there(
    client_of: ClientOf, error_of: ErrorOf
) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    error = error_of(client_of(url, use_grpc_web=False, tls=TlsOptions(insecure=True)))
    assert isinstance(error, ArgoCDUnreachable)
    assert "refused" in error.what.lower()
    assert "--argocd-server-addr" in error.hint
    assert error.retryable
