"""The independent server and the client of the same library agree; only then is it a measure for our channel."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from connectrpc.client import ConnectClientSync
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec
from connectrpc.errors import ConnectError
from connectrpc.protocol import ProtocolType
from google.protobuf.empty_pb2 import Empty
from independent_server import LIST, NAMES, VERSION, WATCH, independent_server

from generated.application_messages_pb2 import ApplicationQuery

pytestmark = pytest.mark.wire


@pytest.fixture
def address() -> Iterator[str]:
    with independent_server() as running:
        yield running


@pytest.fixture
def client(address: str) -> Iterator[ConnectClientSync]:
    with ConnectClientSync(
        f"http://{address}",
        codec=google_protobuf_binary_codec(),
        protocol=ProtocolType.GRPC_WEB,
        accept_compression=(),
        send_compression=None,
        timeout_ms=20_000,
    ) as opened:
        yield opened


def test_a_unary_call_and_its_metadata(client: ConnectClientSync) -> None:
    answer = client.execute_unary(request=Empty(), method=VERSION, headers={"token": "secret"})
    assert (answer.Version, answer.BuildDate) == ("v3.5.1", "secret")


def test_an_error_and_its_message(client: ConnectClientSync) -> None:
    with pytest.raises(ConnectError, match="100% gone, café") as caught:
        client.execute_unary(request=ApplicationQuery(name="missing"), method=LIST)
    assert caught.value.code is Code.NOT_FOUND


def test_a_stream_that_ends(client: ConnectClientSync) -> None:
    events = client.execute_server_stream(request=ApplicationQuery(), method=WATCH)
    assert [each.application.metadata.name for each in events] == list(NAMES)


def test_a_stream_that_breaks_after_its_first_event(client: ConnectClientSync) -> None:
    events = client.execute_server_stream(request=ApplicationQuery(name="broken"), method=WATCH)
    assert next(events).application.metadata.name == "alpha"
    with pytest.raises(ConnectError, match="the informer stopped"):
        next(events)


def test_it_answers_a_plain_post_with_a_trailers_frame(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request(
        "POST", "/version.VersionService/Version", bytes(5), {"Content-Type": "application/grpc-web+proto"}
    )
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200
    assert b"grpc-status" in body.lower()
