"""The gRPC-Web server byte by byte: sections 3 and 10 of the Argo CD API facts."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import grpc
import pytest
from api_client import CONTENT_TYPE, answer_class, frame, post, take_apart

from generated.application_messages_pb2 import (
    Application,
    ApplicationList,
    ApplicationQuery,
    ApplicationUpdateSpecRequest,
)
from generated.session_messages_pb2 import SessionCreateRequest
from updater.playground import frames
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.methods import METHODS
from updater.playground.world import World

pytestmark = pytest.mark.wire

VERSION = "/version.VersionService/Version"
LIST = "/application.ApplicationService/List"
GET = "/application.ApplicationService/Get"
EMPTY = bytes(5)

EXAMPLE_C = bytes.fromhex("000000001c0a09677565737462 6f6f6b1a0764656661756c743a067465616d2d61".replace(" ", ""))
EXAMPLE_F = bytes.fromhex(
    "00000000920a096775657374626f6f6b12720a400a1968747470733a2f2f6578616d706c652e636f6d2f722e6769741205"
    "636861727422046d61696e3a1612140a09696d6167652e7461671205312e322e33180112250a1e68747470733a2f2f6b75"
    "6265726e657465732e64656661756c742e73766312037765621a0764656661756c74180022067465616d2d612a07646566"
    "61756c74"
)
EXAMPLE_J = bytes.fromhex("00000000080a0676332e352e31800000001067 7270632d7374617475733a20300d0a".replace(" ", ""))
EXAMPLE_L = bytes.fromhex(
    "800000004e677270632d6d6573736167653a206170706c69636174696f6e732e6172676f70726f6a2e696f202267756573"
    "74626f6f6b22206e6f7420666f756e640d0a677270632d7374617475733a20350d0a"
)
EXAMPLE_M = bytes.fromhex(
    "8000000039677270632d6d6573736167653a206c696e653125304131303025323520636166254333254139 0d0a"
    "677270632d7374617475733a2031330d0a".replace(" ", "")
)


def test_a_version_call_answers_the_bytes_of_example_j(web: GrpcWebServer) -> None:
    assert post(web, VERSION, EMPTY).body == EXAMPLE_J


def test_a_failed_call_answers_in_headers_with_an_empty_body(web: GrpcWebServer) -> None:
    connection = http.client.HTTPConnection(web.address, timeout=20)
    connection.request("POST", LIST, EMPTY, {"Content-Type": CONTENT_TYPE})
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    shown = dict(response.getheaders())
    connection.close()
    assert shown["Content-Type"] == CONTENT_TYPE
    assert shown["Grpc-Status"] == "16"
    assert shown["Grpc-Message"] == "no session information"
    assert "Access-Control-Expose-Headers" in shown


def test_an_error_after_early_headers_answers_the_frame_of_example_l(web: GrpcWebServer, token: str) -> None:
    web.faults.early_headers()
    query = ApplicationQuery(name="guestbook", projects=["default"])
    answer = post(web, GET, frame(query), {"token": token})
    assert "grpc-status" not in answer.headers
    assert answer.body == EXAMPLE_L


def test_a_renewed_login_moves_a_later_error_into_the_body(web: GrpcWebServer, world: World) -> None:
    world.add_account("person", capabilities=("login",), password="secret")
    old = world.issue_login_token("person", lifetime_s=60)
    answer = post(web, GET, frame(ApplicationQuery(name="shop-web")), {"token": old})
    assert "grpc-status" not in answer.headers
    assert answer.status == (7, "permission denied")
    assert post(web, LIST, EMPTY, {"token": answer.headers["renew-token"]}).status == (0, "")


def test_messages_are_percent_encoded_as_in_example_m() -> None:
    trailers = [("Grpc-Status", "13"), ("grpc-message", frames.percent_encode("line1\n100% café"))]
    assert frames.encode_trailers(trailers) == EXAMPLE_M


def test_a_message_with_any_text_arrives_whole(web: GrpcWebServer, world: World, token: str) -> None:
    text = 'rendering failed: "café"\n\t100% of 3 sources'
    world.reject_next("List", grpc.StatusCode.UNKNOWN, text)
    assert post(web, LIST, EMPTY, {"token": token}).status == (2, text)


def test_the_request_of_example_c_is_understood(web: GrpcWebServer, world: World, token: str) -> None:
    post(web, LIST, EXAMPLE_C, {"token": token})
    (call,) = world.calls_of("List")
    assert call.request == ApplicationQuery(name="guestbook", projects=["default"], appNamespace="team-a")


def test_the_request_of_example_f_keeps_the_presence_of_validate(web: GrpcWebServer, world: World, token: str) -> None:
    post(web, "/application.ApplicationService/UpdateSpec", EXAMPLE_F, {"token": token})
    (call,) = world.calls_of("UpdateSpec")
    assert isinstance(call.request, ApplicationUpdateSpecRequest)
    assert call.request.HasField("validate")
    assert not call.request.validate
    assert call.request.spec.source.helm.parameters[0].value == "1.2.3"


def test_a_present_but_empty_refresh_is_told_from_an_absent_one(web: GrpcWebServer, world: World, token: str) -> None:
    for body in ("000000000d0a096775657374626f6f6b1200", "000000000b0a096775657374626f6f6b"):
        post(web, GET, bytes.fromhex(body), {"token": token})
    assert [call.request.HasField("refresh") for call in world.calls_of("Get")] == [True, False]


@pytest.mark.parametrize(
    ("content_type", "path", "status"),
    [
        pytest.param("application/grpc-web", VERSION, 404, id="no codec"),
        pytest.param("application/grpc-web-text+proto", VERSION, 404, id="text mode"),
        pytest.param("application/grpc-web+proto; charset=utf-8", VERSION, 404, id="parameter"),
        pytest.param("Application/grpc-web+proto", VERSION, 404, id="letter case"),
        pytest.param("application/json", "/api/v1/applications", 415, id="below api"),
    ],
)
def test_any_other_content_type_misses_the_grpc_handler(
    web: GrpcWebServer, content_type: str, path: str, status: int
) -> None:
    answer = raw_exchange(web, "POST", path, EMPTY, {"Content-Type": content_type})
    assert answer[0] == status
    assert answer[1]["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_only_post_reaches_a_method(web: GrpcWebServer, world: World, verb: str) -> None:
    assert raw_exchange(web, verb, VERSION, EMPTY, {"Content-Type": CONTENT_TYPE})[0] == 405
    assert world.calls == ()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("//version.VersionService/Version", "unknown service /version.VersionService", id="two slashes"),
        pytest.param("/other.Service/Do", "unknown service other.Service", id="service"),
        pytest.param(
            "/version.VersionService/Other",
            "unknown method Other for service version.VersionService",
            id="method",
        ),
    ],
)
def test_an_unknown_path_is_unimplemented(web: GrpcWebServer, path: str, message: str) -> None:
    assert post(web, path, EMPTY).status == (12, message)


def test_a_root_path_is_required_and_stripped(world: World) -> None:
    with GrpcWebServer(world, root_path="/argo/cd/") as server:
        assert server.url.endswith("/argo/cd")
        assert post(server, f"/argo/cd{VERSION}", EMPTY).status == (0, "")
        for path in (VERSION, f"/argo{VERSION}", f"/argo/cdx{VERSION}"):
            assert raw_exchange(server, "POST", path, EMPTY, {"Content-Type": CONTENT_TYPE})[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"grpc-timeout": "5"}, id="no unit"),
        pytest.param({"grpc-timeout": "5s"}, id="unknown unit"),
        pytest.param({"grpc-timeout": "123456789S"}, id="nine digits"),
        pytest.param({"x-trace-bin": "*"}, id="bad base64"),
    ],
)
def test_a_malformed_header_is_a_bad_request(web: GrpcWebServer, headers: dict[str, str]) -> None:
    assert raw_exchange(web, "POST", VERSION, EMPTY, {"Content-Type": CONTENT_TYPE, **headers})[0] == 400


def test_binary_metadata_is_decoded(web: GrpcWebServer, world: World) -> None:
    post(web, VERSION, EMPTY, {"X-Trace-Bin": "AAH/"})
    assert world.calls[0].metadata["x-trace-bin"] == "0001ff"


def test_a_spent_deadline_ends_the_call(web: GrpcWebServer) -> None:
    assert post(web, VERSION, EMPTY, {"grpc-timeout": "0n"}).status == (4, "context deadline exceeded")


def test_a_refresh_without_a_controller_waits_for_the_deadline(web: GrpcWebServer, world: World, token: str) -> None:
    world.configure(answers_refresh=False)
    query = frame(ApplicationQuery(name="shop-web", refresh=""))
    answer = post(web, GET, query, {"token": token, "grpc-timeout": "30m"})
    assert answer.status == (4, "application refresh deadline exceeded")


def test_a_refresh_with_a_controller_answers(web: GrpcWebServer, token: str) -> None:
    answer = post(web, GET, frame(ApplicationQuery(name="shop-web", refresh="hard")), {"token": token})
    assert answer.status == (0, "")


def test_the_servers_log_shows_headers_and_hides_secrets(web: GrpcWebServer, token: str) -> None:
    post(web, VERSION, EMPTY, {"Token": token, "X-Extra": "shown"})
    (request,) = web.requests
    assert request.headers["token"] == "<secret>"
    assert request.headers["x-extra"] == "shown"


def test_a_required_field_is_missed_before_the_token(web: GrpcWebServer) -> None:
    answer = post(web, "/application.ApplicationService/UpdateSpec", EMPTY)
    assert answer.status == (13, 'grpc: error unmarshalling request: proto: required field "name" not set')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "unexpected EOF", id="nothing"),
        pytest.param(b"\0\0\0\0\5ab", "unexpected EOF", id="cut"),
        pytest.param(b"\1\0\0\0\0", "grpc: compressed flag set with identity or empty encoding", id="compressed"),
        pytest.param(b"\x80\0\0\0\0", "grpc: received unexpected payload format 128", id="trailers"),
    ],
)
def test_a_body_that_is_no_frame_is_an_internal_error(web: GrpcWebServer, body: bytes, message: str) -> None:
    assert post(web, VERSION, body).status == (13, message)


def test_bytes_that_are_no_message_are_an_internal_error(web: GrpcWebServer) -> None:
    code, message = post(web, LIST, frame(b"\x0a\x7f")).status
    assert code == 13
    assert message.startswith("grpc: error unmarshalling request: ")


def test_a_connection_serves_several_calls(web: GrpcWebServer, token: str) -> None:
    connection = http.client.HTTPConnection(web.address, timeout=20)
    for headers in ({}, {"token": token}, {"token": "bad"}, {"token": token}):
        connection.request("POST", LIST, EMPTY, {"Content-Type": CONTENT_TYPE, **headers})
        connection.getresponse().read()
    connection.close()
    assert web.accepted_connections == 1


def test_a_chunked_request_is_read_whole(web: GrpcWebServer, token: str) -> None:
    connection = http.client.HTTPConnection(web.address, timeout=20)
    body = frame(ApplicationQuery(name="shop-web"))
    pieces = iter([body[:3], body[3:9], body[9:]])
    connection.request("POST", LIST, pieces, {"Content-Type": CONTENT_TYPE, "token": token}, encode_chunked=True)
    response = connection.getresponse()
    answer = take_apart(response.status, response.getheaders(), response.read())
    connection.close()
    found = ApplicationList.FromString(answer.messages[0])
    assert [each.metadata.name for each in found.items] == ["shop-web"]


def test_an_http_1_0_client_gets_a_body_without_chunks(web: GrpcWebServer) -> None:
    request = f"POST {VERSION} HTTP/1.0\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 5\r\n\r\n".encode() + EMPTY
    head, _, body = exchange_bytes(web, request).partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == EXAMPLE_J


@pytest.mark.parametrize(
    "first_bytes",
    [
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="http2 preface"),
        pytest.param(b"\x16\x03\x01\x00\x05hello", id="tls to plaintext"),
    ],
)
def test_other_protocols_are_closed_without_an_answer(web: GrpcWebServer, first_bytes: bytes) -> None:
    assert exchange_bytes(web, first_bytes) == b""


def test_fields_that_cannot_be_absent_are_written_when_empty(web: GrpcWebServer, token: str) -> None:
    answer = post(web, GET, frame(ApplicationQuery(name="shop-web")), {"token": token})
    message = Application.FromString(answer.messages[0])
    source = message.spec.source
    assert source.HasField("chart")
    assert source.HasField("ref")
    assert message.status.HasField("controllerNamespace")
    assert b"\x62\x00" in source.SerializeToString()
    assert not source.HasField("kustomize")
    assert not message.spec.HasField("revisionHistoryLimit")
    assert not message.spec.syncPolicy.automated.HasField("enabled")


def test_every_method_is_served(web: GrpcWebServer, token: str, any_path: str) -> None:
    if any_path.endswith("/Watch"):
        assert METHODS[any_path].value == "required"
        return
    request = b"" if "Create" not in any_path else SessionCreateRequest().SerializeToString()
    code, message = post(web, any_path, frame(request), {"token": token}).status
    assert code in (0, 3, 7, 13, 16)
    assert "unknown" not in message
    assert answer_class(any_path)


def raw_exchange(
    server: GrpcWebServer, verb: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(server.address, timeout=20)
    try:
        connection.request(verb, path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status, dict(response.getheaders())
    finally:
        connection.close()


def exchange_bytes(server: GrpcWebServer, request: bytes) -> bytes:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received
