"""What our channel makes of every shape an answer can have, good or broken (argocd-api.md 3.4 and 3.6)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from independent_server import NAMES, independent_server
from transport.raw_peers import RawServer, always, chunked, ok, read_request, trickle

from generated.application_messages_pb2 import ApplicationQuery
from generated.application_service_pb2_grpc import ApplicationServiceStub
from generated.version_service_pb2_grpc import VersionServiceStub
from updater.argocd.failures import FailureKind, GrpcWebError
from updater.argocd.statuses import CallSite, call_error, read_attempts
from updater.argocd.webchannel import GrpcWebChannel
from updater.errors import ArgoCDForeignAnswer, ArgoCDUnavailable, ConfigurationError, UpdaterError
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World

pytestmark = pytest.mark.wire

CODE = grpc.StatusCode
WAIT_S = 20
Open = Callable[..., GrpcWebChannel]
TYPE = "Content-Type: application/grpc-web+proto"
JAY = bytes.fromhex("00000000080a0676332e352e31800000001067 7270632d7374617475733a20300d0a".replace(" ", ""))
OK_TRAILERS = JAY[13:]


def version(channel: grpc.Channel, **fields: Any) -> str:
    stub: Any = VersionServiceStub(channel)
    found: str = stub.Version(Empty(), timeout=WAIT_S, **fields).Version
    return found


def failure(channel: grpc.Channel, **fields: Any) -> GrpcWebError:
    with pytest.raises(GrpcWebError) as caught:
        version(channel, **fields)
    return caught.value


@pytest.fixture
def version_size(web: GrpcWebServer, open_web: Open) -> int:
    """Bytes of the body of a good answer to Version."""
    text = version(open_web(web.url)).encode()
    return 5 + 2 + len(text) + 5 + len(b"grpc-status: 0\r\n")


def test_a_connection_serves_call_after_call(web: GrpcWebServer, open_web: Open) -> None:
    channel = open_web(web.url)
    for _ in range(5):
        version(channel)
        failure_of_list(channel)
    assert web.accepted_connections == 1


def failure_of_list(channel: grpc.Channel) -> GrpcWebError:
    stub: Any = ApplicationServiceStub(channel)
    with pytest.raises(GrpcWebError) as caught:
        stub.List(ApplicationQuery(), timeout=WAIT_S)
    return caught.value


def test_an_error_after_early_headers_is_read_from_the_body(web: GrpcWebServer, open_web: Open) -> None:
    web.faults.early_headers()
    error = failure_of_list(open_web(web.url))
    assert (error.code(), error.details()) == (CODE.UNAUTHENTICATED, "no session information")
    assert error.failure.kind is FailureKind.STATUS


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
def test_frames_are_read_from_http_chunks_of_any_size(
    size: int, world: World, token: str, web: GrpcWebServer, open_web: Open
) -> None:
    web.faults.chunk_size(size)
    stub: Any = ApplicationServiceStub(open_web(web.url))
    answer = stub.List(ApplicationQuery(), metadata=(("token", token),), timeout=WAIT_S)
    assert len(answer.items) == 3


def test_an_answer_cut_anywhere_is_never_a_success(version_size: int, web: GrpcWebServer, open_web: Open) -> None:
    channel = open_web(web.url)
    for length in range(version_size):
        web.faults.truncate_after(length)
        error = failure(channel)
        assert error.code() is CODE.UNAVAILABLE, length
        assert error.failure.kind is FailureKind.TRUNCATED, length
        assert isinstance(call_error(error, CallSite("x", "y")), ArgoCDUnavailable)
    web.faults.truncate_after(version_size)
    version(channel)


def test_stripped_trailers_are_named(web: GrpcWebServer, open_web: Open) -> None:
    web.faults.strip_trailers()
    error = failure(open_web(web.url))
    assert error.code() is CODE.UNAVAILABLE
    assert "without trailers after 1 messages" in error.details()
    assert "a proxy strips" in error.failure.hint


def test_a_stream_whose_trailers_are_stripped_fails_at_its_end(
    world: World, token: str, web: GrpcWebServer, open_web: Open
) -> None:
    web.faults.strip_trailers()
    stub: Any = ApplicationServiceStub(open_web(web.url))
    stream = stub.Watch(ApplicationQuery(), metadata=(("token", token),), timeout=WAIT_S)
    for _ in range(3):
        next(stream)
    world.end_watches()
    with pytest.raises(GrpcWebError) as caught:
        next(stream)
    assert caught.value.failure.kind is FailureKind.TRUNCATED


def test_a_frame_over_the_cap_is_refused_by_its_prefix(web: GrpcWebServer, open_web: Open) -> None:
    web.faults.oversized_frame()
    error = failure(open_web(web.url))
    assert error.code() is CODE.RESOURCE_EXHAUSTED
    assert "4294967295 bytes, at most 209715200" in error.details()
    assert "--argocd-max-message-size" in error.failure.hint
    assert read_attempts(error) == 1


def test_the_cap_is_configurable(web: GrpcWebServer, open_web: Open) -> None:
    error = failure(open_web(web.url, max_message_bytes=4))
    assert error.code() is CODE.RESOURCE_EXHAUSTED


def test_a_compressed_frame_is_a_protocol_error(web: GrpcWebServer, open_web: Open) -> None:
    web.faults.compressed_flag()
    error = failure(open_web(web.url))
    assert (error.code(), error.failure.kind) == (CODE.INTERNAL, FailureKind.FRAMING)


ODD_SHAPES = {
    "no message": (ok(OK_TRAILERS, TYPE), CODE.INTERNAL),
    "two messages": (ok(JAY[:13] * 2 + OK_TRAILERS, TYPE), CODE.INTERNAL),
    "status ok in the headers alone": (ok(b"", TYPE, "Grpc-Status: 0"), CODE.INTERNAL),
    "an empty body": (ok(b"", TYPE), CODE.UNAVAILABLE),
    "an empty body without a type": (ok(b""), CODE.UNAVAILABLE),
    "a message that is none": (ok(b"\0\0\0\0\2\x0a\xff" + OK_TRAILERS, TYPE), CODE.INTERNAL),
    "trailers without a status": (ok(JAY[:13] + b"\x80\0\0\0\0", TYPE), CODE.UNKNOWN),
    "a status nobody knows": (ok(b"", "Grpc-Status: 77"), CODE.UNKNOWN),
    "text in place of frames": (ok(b"hello world", "Content-Type: application/octet-stream"), CODE.INTERNAL),
}


@pytest.mark.parametrize(("answer", "code"), ODD_SHAPES.values(), ids=ODD_SHAPES)
def test_an_answer_of_an_odd_shape_is_an_error(answer: bytes, code: grpc.StatusCode, open_web: Open) -> None:
    with RawServer(always(answer)) as server:
        assert failure(open_web(server.url)).code() is code


GOOD_SHAPES = {
    "the type of Argo CD 2.7": ok(JAY, "Content-Type: application/octet-stream"),
    "no type at all": ok(JAY),
    "chunks": chunked(JAY[:9], JAY[9:20], JAY[20:]),
    "chunks of one byte": chunked(*[JAY[at : at + 1] for at in range(len(JAY))]),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + JAY,
    "something after the trailers": ok(JAY + b"more", TYPE),
}


@pytest.mark.parametrize("answer", GOOD_SHAPES.values(), ids=GOOD_SHAPES)
def test_an_answer_of_a_good_shape_is_read(answer: bytes, open_web: Open) -> None:
    def serve(connection: socket.socket, server: RawServer) -> None:
        read_request(connection)
        connection.sendall(answer)

    with RawServer(serve) as server:
        assert version(open_web(server.url)) == "v3.5.1"


def test_a_success_does_not_wait_for_an_end_that_never_comes(open_web: Open) -> None:
    """The trailers have come; a proxy holds back the end of the body."""

    def serve(connection: socket.socket, server: RawServer) -> None:
        read_request(connection)
        connection.sendall(chunked(JAY, end=b""))
        server.stopped.wait()

    with RawServer(serve) as server:
        assert version(open_web(server.url)) == "v3.5.1"


def test_the_request_has_exactly_the_headers_it_needs(open_web: Open) -> None:
    with RawServer(always(ok(JAY, TYPE))) as server:
        authority = f"127.0.0.1:{server.port}"
        version(open_web(server.url, headers=(("X-Extra", "1"),)), metadata=(("token", "abc"),))
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST /version.VersionService/Version HTTP/1.1"
    assert fields.pop("Grpc-Timeout").endswith("m")
    assert fields == {
        "Host": authority,
        "Accept-Encoding": "identity",
        "Content-Type": "application/grpc-web+proto",
        "Accept": "application/grpc-web+proto",
        "X-Grpc-Web": "1",
        "User-Agent": "tests/1",
        "X-Extra": "1",
        "token": "abc",
        "Content-Length": "5",
    }
    assert body == b"\0\0\0\0\0"


@pytest.mark.parametrize("root", ["argo-cd", "/argo-cd/", "a/b"])
def test_the_root_path_stands_once_before_the_service(root: str, world: World, open_web: Open) -> None:
    with GrpcWebServer(world, root_path=root) as server:
        assert version(open_web(f"http://{server.address}/{root.strip('/')}/")) == world.environment.version


def test_a_missing_root_path_is_named(world: World, open_web: Open) -> None:
    with GrpcWebServer(world, root_path="argo-cd") as server:
        error = failure(open_web(f"http://{server.address}"))
    assert error.code() is CODE.UNIMPLEMENTED
    assert "HTTP status 404" in error.details()
    assert "--argocd-grpc-web-root-path" in error.failure.hint


INTERMEDIARIES: dict[int, tuple[grpc.StatusCode, str, int]] = {
    204: (CODE.UNKNOWN, "empty page", 1),
    301: (CODE.UNKNOWN, "redirects are not followed", 1),
    302: (CODE.UNKNOWN, "redirects are not followed", 1),
    303: (CODE.UNKNOWN, "redirects are not followed", 1),
    307: (CODE.UNKNOWN, "--argocd-plaintext", 1),
    308: (CODE.UNKNOWN, "--argocd-plaintext", 1),
    400: (CODE.INTERNAL, "--argocd-plaintext", 1),
    401: (CODE.UNAUTHENTICATED, "--argocd-header", 1),
    403: (CODE.PERMISSION_DENIED, "--argocd-user-agent", 1),
    404: (CODE.UNIMPLEMENTED, "--argocd-grpc-web-root-path", 1),
    405: (CODE.UNKNOWN, "POST", 1),
    408: (CODE.UNKNOWN, "timeouts", 2),
    411: (CODE.UNKNOWN, "body", 1),
    413: (CODE.RESOURCE_EXHAUSTED, "limit for request bodies", 1),
    415: (CODE.UNKNOWN, "content type", 1),
    418: (CODE.UNKNOWN, "check the address", 1),
    426: (CODE.UNKNOWN, "HTTP/1.0", 1),
    429: (CODE.UNAVAILABLE, "rate", 4),
    431: (CODE.INTERNAL, "headers are too large", 1),
    464: (CODE.UNKNOWN, "target group", 1),
    499: (CODE.UNKNOWN, "timeouts", 2),
    500: (CODE.UNKNOWN, "log of the proxy", 2),
    502: (CODE.UNAVAILABLE, "TLS or plaintext", 4),
    503: (CODE.UNAVAILABLE, "ready", 4),
    504: (CODE.UNAVAILABLE, "read timeout", 4),
    520: (CODE.UNAVAILABLE, "cannot reach", 4),
    524: (CODE.UNAVAILABLE, "read timeout", 4),
    530: (CODE.UNAVAILABLE, "cannot reach", 4),
}


@pytest.mark.parametrize("status", INTERMEDIARIES)
def test_an_intermediarys_status_has_its_code_hint_and_attempts(
    status: int, web: GrpcWebServer, open_web: Open
) -> None:
    code, hint, attempts = INTERMEDIARIES[status]
    headers = {"Content-Type": "text/plain"} | ({"Location": "https://login.test/start"} if status < 400 else {})
    web.faults.answer(status, headers, b"" if status == 204 else b"because")
    error = failure(open_web(web.url))
    assert error.code() is code
    assert f"HTTP status {status}" in error.details()
    assert hint in error.failure.hint
    assert read_attempts(error) == attempts
    kind = ArgoCDUnavailable if code is CODE.UNAVAILABLE else ArgoCDForeignAnswer
    assert type(call_error(error, CallSite("listing", "argo.test"))) is kind


PAGES = {
    "HTML": ({"Content-Type": "text/html; charset=utf-8"}, b"<html><title>Sign in</title></html>", "Sign in"),
    "JSON": ({"Content-Type": "application/json"}, b'{"error": "login"}', "login"),
    "text": ({"Content-Type": "text/plain"}, b"welcome", "welcome"),
    "text mode": ({"Content-Type": "application/grpc-web-text+proto"}, b"AAAA", "grpc-web-text"),
}


@pytest.mark.parametrize(("headers", "body", "shown"), PAGES.values(), ids=PAGES)
def test_a_page_with_status_200_is_a_foreign_answer(
    headers: dict[str, str], body: bytes, shown: str, web: GrpcWebServer, open_web: Open
) -> None:
    web.faults.answer(200, headers, body)
    error = failure(open_web(web.url))
    assert (error.code(), error.failure.kind) == (CODE.UNKNOWN, FailureKind.FOREIGN)
    assert shown in error.details()
    assert read_attempts(error) == 1


def test_a_status_in_the_headers_counts_more_than_the_page_around_it(web: GrpcWebServer, open_web: Open) -> None:
    web.faults.answer(200, {"Content-Type": "text/html", "Grpc-Status": "7", "Grpc-Message": "no%21"}, b"<p>x</p>")
    error = failure(open_web(web.url))
    assert (error.code(), error.details()) == (CODE.PERMISSION_DENIED, "no!")


LOCATIONS = {
    "another host": ("https://user:pw@login.test:8443/start?token=s3cret#here", "https://login.test:8443/start"),
    "a path": ("/login?next=s3cret", "/login"),
    "no address": ("http://[broken", "an address that is none"),
    "nothing": ("", "nowhere"),
}


@pytest.mark.parametrize(("location", "shown"), LOCATIONS.values(), ids=LOCATIONS)
def test_a_redirect_is_shown_without_its_secrets_and_not_followed(
    location: str, shown: str, web: GrpcWebServer, open_web: Open
) -> None:
    web.faults.answer(302, {"Location": location})
    error = failure(open_web(web.url))
    assert f"a redirect to {shown}" in error.details()
    assert "s3cret" not in error.details()
    assert "pw" not in error.details()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_carry_the_token_away(status: int, web: GrpcWebServer, open_web: Open) -> None:
    with RawServer(always(ok(JAY, TYPE))) as thief:
        web.faults.answer(status, {"Location": f"{thief.url}version.VersionService/Version"})
        failure(open_web(web.url), metadata=(("token", "abc"),))
        assert thief.accepted == 0


def test_messages_without_end_end_a_unary_call(open_web: Open) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\n\r\n"
    with RawServer(trickle(head, b"\0" * 5, pause_s=0.001)) as server:
        error = failure(open_web(server.url))
    assert (error.code(), error.details()) == (CODE.INTERNAL, "more messages than one")


RETRY_AFTER = {
    "seconds": ("7", 7.0),
    "a fraction": ("0.5", 0.5),
    "too long": ("86400", 900.0),
    "negative": ("-5", None),
    "no number": ("soon", None),
    "not a number": ("nan", None),
    "endless": ("inf", None),
    "in the past": ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    "a year beyond all": ("Wed, 21 Oct 999999999999 07:28:00 GMT", None),
    "an offset beyond all": ("Wed, 21 Oct 2015 07:28:00 -9999999999999999999", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after_is_read_and_capped(text: str, seconds: float | None, web: GrpcWebServer, open_web: Open) -> None:
    web.faults.answer(429, {"Retry-After": text})
    assert failure(open_web(web.url)).failure.retry_after_s == seconds


def test_retry_after_may_be_a_date(web: GrpcWebServer, open_web: Open) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    web.faults.answer(503, {"Retry-After": format_datetime(moment, usegmt=True)})
    seconds = failure(open_web(web.url)).failure.retry_after_s
    assert seconds is not None
    assert 60 < seconds <= 100


SECRET = "opaque-secret-of-a-header"
ECHOES = {
    "in a page": ({"Content-Type": "text/html"}, f"<p>your request: token={SECRET}</p>", 400),
    "in a text": ({"Content-Type": "text/plain"}, f"bad header {SECRET}", 502),
    "cut by the limit of an excerpt": ({"Content-Type": "text/plain"}, "x" * 110 + SECRET, 502),
    "in a status": ({"Grpc-Status": "16", "Grpc-Message": f"invalid session: {SECRET}"}, "", 200),
    "in a redirect": ({"Location": f"https://login.test/{SECRET}"}, "", 302),
}


@pytest.mark.parametrize(("headers", "body", "status"), ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("place", ["metadata", "header"])
def test_values_of_our_headers_are_never_shown(
    place: str, headers: dict[str, str], body: str, status: int, web: GrpcWebServer, open_web: Open
) -> None:
    web.faults.answer(status, headers, body.encode())
    if place == "metadata":
        error = failure(open_web(web.url), metadata=(("token", SECRET),))
    else:
        error = failure(open_web(web.url, headers=(("X-Access", SECRET),)))
    mapped = call_error(error, CallSite("x", "y"))
    shown = f"{error} {error!r} {error.failure!r} {error.details()} {mapped} {mapped!r}"
    assert SECRET not in shown
    assert SECRET[:10] not in shown


def test_half_a_token_at_the_edge_of_an_excerpt_is_not_shown(web: GrpcWebServer, open_web: Open) -> None:
    """A token that is not ours has a shape to be known by, unless it is cut first."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"
    web.faults.answer(502, {"Content-Type": "text/plain"}, b"x" * 90 + b" " + token.encode())
    assert "eyJ" not in failure(open_web(web.url)).details()


UNSENDABLE = {
    "a line feed": "qx7\ntwo",
    "a carriage return": "qx7\rtwo",
    "a control character": "qx7\x00two",
    "a letter outside ASCII": "qx7\u00f6n",
}


@pytest.mark.parametrize("value", UNSENDABLE.values(), ids=UNSENDABLE)
def test_a_value_that_no_header_can_carry_is_refused_without_being_shown(
    value: str, web: GrpcWebServer, open_web: Open
) -> None:
    for fields, channel in (
        ({"metadata": (("token", value),)}, open_web(web.url)),
        ({}, open_web(web.url, headers=(("token", value),))),
    ):
        with pytest.raises(ConfigurationError, match="header token") as caught:
            version(channel, **fields)
        assert caught.value.__cause__ is None
        assert value[:3] not in str(caught.value)


@pytest.mark.parametrize("name", ["content-type", "Grpc-Timeout", ":path", "host", "transfer-encoding"])
def test_names_of_the_protocol_are_no_metadata(name: str, web: GrpcWebServer, open_web: Open) -> None:
    with pytest.raises(UpdaterError, match="belongs to the protocol"):
        version(open_web(web.url), metadata=((name, "x"),))


def test_header_values_stay_out_of_every_repr(web: GrpcWebServer, open_web: Open) -> None:
    channel = open_web(web.url, headers=(("X-Access", SECRET),))
    call = channel.start("/version.VersionService/Version", b"", 5.0, (("token", SECRET),))
    assert SECRET not in f"{channel!r} {channel._options!r} {call!r} {call._request!r} {call._http_request()!r}"


def test_a_doubled_slash_is_not_sent(web: GrpcWebServer, world: World, open_web: Open) -> None:
    assert version(open_web(f"{web.url}//")) == world.environment.version


def test_a_read_is_repeated_on_a_fresh_connection_and_a_write_is_not(
    token: str, web: GrpcWebServer, open_web: Open
) -> None:
    channel = open_web(web.url)
    version(channel)
    assert web.accepted_connections == 1

    def serve(connection: socket.socket, server: RawServer) -> None:
        server.note(read_request(connection))
        connection.sendall(ok(JAY, TYPE))
        server.note(read_request(connection))

    with RawServer(serve) as server:
        channel = open_web(server.url)
        assert version(channel) == version(channel) == "v3.5.1"
        assert len(server.requests) == 3
        write = channel.unary_unary("/application.ApplicationService/UpdateSpec")
        with pytest.raises(GrpcWebError) as caught:
            write(b"x", timeout=WAIT_S)
        assert caught.value.code() is CODE.UNAVAILABLE
        assert len(server.requests) == 4


def test_a_call_without_time_is_never_sent(world: World, web: GrpcWebServer, open_web: Open) -> None:
    stub: Any = VersionServiceStub(open_web(web.url))
    with pytest.raises(GrpcWebError) as caught:
        stub.Version(Empty(), timeout=0)
    assert caught.value.code() is CODE.DEADLINE_EXCEEDED
    assert world.calls == ()


def test_client_streaming_and_what_grpc_web_cannot_do_are_refused(web: GrpcWebServer, open_web: Open) -> None:
    channel = open_web(web.url)
    for method in (channel.stream_unary("/a/B"), channel.stream_stream("/a/B")):
        with pytest.raises(GrpcWebError, match="no client streaming"):
            method(iter([b""]))
    with pytest.raises(UpdaterError, match="send the token as metadata"):
        version(channel, credentials=grpc.access_token_call_credentials("abc"))
    with pytest.raises(UpdaterError, match="no compressed requests"):
        version(channel, compression=grpc.Compression.Gzip)


def test_a_closed_channel_refuses_calls_and_starts_no_threads(web: GrpcWebServer, open_web: Open) -> None:
    channel = open_web(web.url)
    channel.close()
    channel.close()
    assert failure(channel).code() is CODE.CANCELLED
    stub: Any = VersionServiceStub(channel)
    with pytest.raises(GrpcWebError):
        stub.Version.future(Empty(), timeout=WAIT_S)


def test_subscribers_hear_idle_and_shutdown(web: GrpcWebServer, open_web: Open) -> None:
    heard: list[grpc.ChannelConnectivity] = []
    forgotten: list[grpc.ChannelConnectivity] = []
    channel = open_web(web.url)
    channel.subscribe(heard.append)
    channel.subscribe(forgotten.append)
    channel.unsubscribe(forgotten.append)
    channel.close()
    assert heard == [grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.SHUTDOWN]
    assert forgotten == [grpc.ChannelConnectivity.IDLE]


def test_an_independent_server_is_understood(open_web: Open) -> None:
    """connectrpc's gRPC-Web over HTTP/1.0: unary, refused, streamed, and a stream that fails midway."""
    with independent_server() as address:
        channel = open_web(f"http://{address}")
        stub: Any = ApplicationServiceStub(channel)
        assert version(channel, metadata=(("token", "abc"),)) == "v3.5.1"
        assert [item.metadata.name for item in stub.List(ApplicationQuery(), timeout=WAIT_S).items] == list(NAMES)
        with pytest.raises(GrpcWebError) as refused:
            stub.List(ApplicationQuery(name="missing"), timeout=WAIT_S)
        stream = stub.Watch(ApplicationQuery(), timeout=WAIT_S)
        assert [event.application.metadata.name for event in stream] == list(NAMES)
        broken = stub.Watch(ApplicationQuery(name="broken"), timeout=WAIT_S)
        next(broken)
        with pytest.raises(GrpcWebError) as midway:
            next(broken)
    assert refused.value.code() is CODE.NOT_FOUND
    assert refused.value.details() == 'applications.argoproj.io "missing" not found: 100% gone, caf\u00e9'
    assert (midway.value.code(), midway.value.details()) == (CODE.UNAVAILABLE, "the informer stopped")
