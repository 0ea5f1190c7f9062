"""TLS on both transports, with a throw-away authority."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import grpc
import pytest
import trustme
from api_client import CONTENT_TYPE, NativeClient, take_apart

from generated.application_messages_pb2 import ApplicationQuery
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.world import World

pytestmark = pytest.mark.wire

VERSION = "/version.VersionService/Version"
WATCH = "/application.ApplicationService/Watch"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def web_tls(world: World, authority: trustme.CA) -> Iterator[GrpcWebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with GrpcWebServer(world, tls=context) as server:
        yield server


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_a_call_over_tls(web_tls: GrpcWebServer, trusting: ssl.SSLContext) -> None:
    connection = http.client.HTTPSConnection(web_tls.address, context=trusting, timeout=20)
    connection.request("POST", VERSION, bytes(5), {"Content-Type": CONTENT_TYPE})
    response = connection.getresponse()
    answer = take_apart(response.status, response.getheaders(), response.read())
    connection.close()
    assert answer.status == (0, "")
    assert web_tls.url == f"https://{web_tls.address}"


def test_plain_http_to_a_tls_server_is_redirected_to_https(web_tls: GrpcWebServer, world: World) -> None:
    connection = http.client.HTTPConnection(web_tls.address, timeout=20)
    connection.request("POST", VERSION, bytes(5), {"Content-Type": CONTENT_TYPE, "Host": "argocd.example.com"})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 307
    assert response.headers["Location"] == f"https://argocd.example.com{VERSION}"
    assert world.calls == ()


def test_a_client_that_does_not_trust_leaves_the_server_working(
    web_tls: GrpcWebServer, trusting: ssl.SSLContext
) -> None:
    connection = http.client.HTTPSConnection(web_tls.address, context=ssl.create_default_context(), timeout=20)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("POST", VERSION, bytes(5), {"Content-Type": CONTENT_TYPE})
    connection.close()
    test_a_call_over_tls(web_tls, trusting)


def test_a_watch_over_tls_ends_when_its_client_leaves(
    web_tls: GrpcWebServer, world: World, trusting: ssl.SSLContext, token: str
) -> None:
    host, _, port = web_tls.address.rpartition(":")
    request = f"POST {WATCH} HTTP/1.1\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 5\r\ntoken: {token}\r\n\r\n"
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        trusting.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(request.encode() + bytes(5))
        assert connection.recv(8) == b"HTTP/1.1"
        assert world.wait_for_watchers(1, timeout_s=10)
    assert world.wait_for_watchers(0, timeout_s=10)


def test_native_grpc_over_tls_selects_h2(world: World, authority: trustme.CA, token: str) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    credentials = grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())]
    )
    trust = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    with (
        NativeServer(world, credentials=credentials) as server,
        grpc.secure_channel(server.address, trust) as channel,
    ):
        assert len(NativeClient(channel, token).call("List", ApplicationQuery()).items) == 3
