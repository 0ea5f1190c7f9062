"""Faults on the way back, seen byte by byte: each is one line, and clear() ends it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator

import grpc
import pytest
from api_client import CONTENT_TYPE, CallFailed, NativeClient, frame, post

from generated.application_messages_pb2 import ApplicationQuery
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World

pytestmark = pytest.mark.wire

VERSION = "/version.VersionService/Version"
LIST = "/application.ApplicationService/List"
WATCH = "/application.ApplicationService/Watch"
EMPTY = bytes(5)
GOOD_BODY = bytes.fromhex("00000000080a0676332e352e31800000001067 7270632d7374617475733a20300d0a".replace(" ", ""))


@pytest.fixture
def line(web: GrpcWebServer) -> Iterator[socket.socket]:
    """A bare connection to the server."""
    host, _, port = web.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def request_bytes(path: str, body: bytes = EMPTY, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_until(connection: socket.socket, ending: bytes) -> bytes:
    received = b""
    while not received.endswith(ending):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def read_to_the_end(connection: socket.socket) -> bytes:
    """Everything until the connection ends; a reset, the answer to bytes nobody read, is an end too."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def chunks_of(line: socket.socket) -> list[bytes]:
    line.sendall(request_bytes(VERSION))
    _, _, body = read_until(line, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")
    found = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return found[:-1]


def test_without_faults_each_frame_is_a_chunk(line: socket.socket) -> None:
    assert chunks_of(line) == [GOOD_BODY[:13], GOOD_BODY[13:]]


@pytest.mark.parametrize("size", [1, 7, 13, 1000])
def test_chunks_split_and_join_frames(web: GrpcWebServer, line: socket.socket, size: int) -> None:
    web.faults.chunk_size(size)
    found = chunks_of(line)
    assert b"".join(found) == GOOD_BODY
    assert {len(each) for each in found[:-1]} <= {size}
    assert len(found) == -(-len(GOOD_BODY) // size)


def test_stripped_trailers_leave_no_status_anywhere(web: GrpcWebServer) -> None:
    web.faults.strip_trailers()
    succeeded, failed = post(web, VERSION, EMPTY), post(web, LIST, EMPTY)
    assert succeeded.body == GOOD_BODY[:13]
    assert failed.body == b""
    assert "grpc-status" not in failed.headers
    web.faults.clear()
    assert post(web, VERSION, EMPTY).body == GOOD_BODY


@pytest.mark.parametrize("size", [0, 3, 13, 20, 33])
def test_a_truncated_body_has_just_these_bytes_and_no_end(web: GrpcWebServer, size: int) -> None:
    web.faults.truncate_after(size)
    connection = http.client.HTTPConnection(web.address, timeout=20)
    connection.request("POST", VERSION, EMPTY, {"Content-Type": CONTENT_TYPE})
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    connection.close()
    assert caught.value.partial == GOOD_BODY[:size]


def test_an_oversized_frame_claims_more_than_any_cap(web: GrpcWebServer, line: socket.socket) -> None:
    web.faults.oversized_frame()
    assert chunks_of(line)[0] == b"\x00\xff\xff\xff\xff" + GOOD_BODY[5:13]


def test_the_compressed_flag_is_set_on_data_and_not_on_trailers(web: GrpcWebServer, line: socket.socket) -> None:
    web.faults.compressed_flag()
    assert [each[0] for each in chunks_of(line)] == [0x01, 0x80]


def test_a_trickling_body_comes_byte_by_byte(web: GrpcWebServer, line: socket.socket) -> None:
    web.faults.trickle(0.0)
    assert chunks_of(line) == [GOOD_BODY[index : index + 1] for index in range(len(GOOD_BODY))]


def test_a_trickle_ends_when_the_server_closes(world: World) -> None:
    with GrpcWebServer(world) as server:
        server.faults.trickle(3600)
        host, _, port = server.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(request_bytes(VERSION))
        read_until(connection, b"1\r\n\x00\r\n")
    with connection:
        assert read_to_the_end(connection) == b""


def test_a_silent_server_says_nothing_and_calls_nothing(world: World) -> None:
    with GrpcWebServer(world) as server:
        server.faults.never_answer()
        host, _, port = server.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(request_bytes(VERSION))
        assert server.wait_for_requests(1, timeout_s=10)
    with connection:
        assert read_to_the_end(connection) == b""
    assert world.calls == ()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, {"Content-Type": "text/html"}, b"<html>log in</html>", id="login page"),
        pytest.param(302, {"Location": "https://sso.example.com/"}, b"", id="redirect"),
        pytest.param(401, {}, b"", id="401"),
        pytest.param(403, {}, b"", id="403"),
        pytest.param(404, {}, b"default backend", id="404"),
        pytest.param(415, {}, b"", id="415"),
        pytest.param(426, {"Upgrade": "h2c"}, b"", id="426"),
        pytest.param(429, {"Retry-After": "7"}, b"", id="429"),
        pytest.param(464, {}, b"", id="vendor status"),
        pytest.param(502, {}, b"<html>bad gateway</html>", id="502"),
        pytest.param(503, {}, b"no healthy upstream", id="503"),
        pytest.param(504, {}, b"", id="504"),
        pytest.param(524, {}, b"", id="unregistered status"),
    ],
)
def test_an_intermediary_answers_in_the_servers_place(
    web: GrpcWebServer, world: World, status: int, headers: dict[str, str], body: bytes
) -> None:
    web.faults.answer(status, headers, body)
    connection = http.client.HTTPConnection(web.address, timeout=20)
    connection.request("POST", VERSION, EMPTY, {"Content-Type": CONTENT_TYPE})
    response = connection.getresponse()
    assert (response.status, response.read()) == (status, body)
    assert headers.items() <= dict(response.getheaders()).items()
    connection.close()
    assert world.calls == ()
    assert [(each.verb, each.path) for each in web.requests] == [("POST", VERSION)]


def test_a_lost_answer_was_carried_out(web: GrpcWebServer, world: World, token: str) -> None:
    world.lose_next_answer("UpdateSpec")
    spec = world.application("shop-web").spec
    spec.source.helm.parameters[1].value = "1.0.9"
    request = frame(spec_request("shop-web", spec.SerializeToString()))
    with pytest.raises(http.client.RemoteDisconnected):
        post(web, "/application.ApplicationService/UpdateSpec", request, {"token": token})
    assert world.application("shop-web").spec.source.helm.parameters[1].value == "1.0.9"
    assert post(web, LIST, EMPTY, {"token": token}).status == (0, "")


def test_a_lost_answer_over_native_grpc_is_unavailable(world: World, channel: grpc.Channel, token: str) -> None:
    world.lose_next_answer("List")
    with pytest.raises(CallFailed) as caught:
        NativeClient(channel, token).call("List", ApplicationQuery())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert len(world.calls_of("List")) == 1


def test_a_watch_whose_first_event_is_lost_ends_without_an_answer(
    world: World, line: socket.socket, token: str
) -> None:
    world.lose_next_answer("Watch")
    line.sendall(request_bytes(WATCH, token=token))
    assert read_to_the_end(line) == b""
    assert world.wait_for_watchers(0, timeout_s=10)


def test_a_request_ahead_of_its_turn_waits_for_the_stream_before_it(
    world: World, line: socket.socket, token: str
) -> None:
    line.sendall(request_bytes(WATCH, token=token))
    assert world.wait_for_watchers(1, timeout_s=10)
    line.sendall(request_bytes(VERSION))
    world.edit_application("shop-web", lambda message: message.metadata.labels.update(a="b"))
    world.end_watches()
    received = read_until(line, GOOD_BODY[13:] + b"\r\n0\r\n\r\n")
    while received.count(b"HTTP/1.1 200 OK") < 2:
        received += read_until(line, b"\r\n0\r\n\r\n")
    assert b"ADDED" in received


def test_a_message_over_the_limit_is_exhausted_both_ways(web: GrpcWebServer, world: World, token: str) -> None:
    world.configure(max_message_bytes=100)
    code, message = post(web, LIST, EMPTY, {"token": token}).status
    assert code == 8
    assert message.startswith("grpc: trying to send message larger than max (")
    query = frame(ApplicationQuery(name="x" * 200))
    assert post(web, LIST, query, {"token": token}).status[1].startswith("grpc: received message larger than max (")


def test_an_idle_connection_can_be_cut(web: GrpcWebServer, line: socket.socket) -> None:
    line.sendall(request_bytes(VERSION))
    read_until(line, b"\r\n0\r\n\r\n")
    web.cut_connections()
    assert line.recv(1) == b""


def test_a_quiet_watch_sends_no_headers_before_its_first_event(
    web: GrpcWebServer, world: World, line: socket.socket, token: str
) -> None:
    line.sendall(request_bytes(WATCH, frame(ApplicationQuery(resourceVersion="1")), token=token))
    assert world.wait_for_watchers(1, timeout_s=10)
    line.settimeout(0)
    with pytest.raises(BlockingIOError):
        line.recv(1)
    line.settimeout(20)
    world.edit_application("shop-web", lambda message: message.metadata.labels.update(a="b"))
    assert read_until(line, b"\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_watch_whose_client_leaves_is_ended(
    web: GrpcWebServer, world: World, line: socket.socket, token: str
) -> None:
    line.sendall(request_bytes(WATCH, token=token))
    assert world.wait_for_watchers(1, timeout_s=10)
    line.close()
    assert world.wait_for_watchers(0, timeout_s=10)


def test_a_watch_ends_with_its_deadline_in_the_trailers_frame(web: GrpcWebServer, token: str) -> None:
    answer = post(web, WATCH, EMPTY, {"token": token, "grpc-timeout": "80m"})
    assert len(answer.messages) == 3
    assert answer.status == (4, "context deadline exceeded")


def test_a_watch_that_breaks_has_its_status_in_the_last_frame(
    web: GrpcWebServer, world: World, line: socket.socket, token: str
) -> None:
    line.sendall(request_bytes(WATCH, token=token))
    assert world.wait_for_watchers(1, timeout_s=10)
    world.end_watches(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
    received = read_until(line, b"\r\n0\r\n\r\n")
    assert b"grpc-message: the server is shutting down\r\ngrpc-status: 14\r\n" in received


def test_a_watch_is_cut_without_trailers_when_the_server_closes(world: World, token: str) -> None:
    with GrpcWebServer(world) as server:
        host, _, port = server.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(request_bytes(WATCH, token=token))
        assert world.wait_for_watchers(1, timeout_s=10)
        read_until(connection, b"\r\n")
    with connection:
        assert b"grpc-status" not in read_to_the_end(connection)


def test_closing_leaves_no_thread_behind(world: World, token: str) -> None:
    before = set(threading.enumerate())
    with GrpcWebServer(world) as server:
        host, _, port = server.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(request_bytes(WATCH, token=token))
            assert world.wait_for_watchers(1, timeout_s=10)
            assert set(threading.enumerate()) - before
            server.close()
    assert set(threading.enumerate()) <= before


def spec_request(name: str, encoded_spec: bytes) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12" + varint(len(encoded_spec)) + encoded_spec


def varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)
