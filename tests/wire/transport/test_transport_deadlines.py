"""Total deadlines, caps, truncation: whatever a peer does, an exchange ends in time and says how."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

import pytest
import trustme
from raw_peers import RawServer, always, answers, chunked, ok, silent, trickle

from updater.clock import Deadline
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpRequest, HttpTransport, ProxyOptions, TlsOptions

pytestmark = pytest.mark.wire

Make = Callable[..., HttpTransport]
Within = Callable[[float], Deadline]
BOUND_S = 5.0
"""Far above the deadlines used here, far below what the peers would take."""

HEAD = b"HTTP/1.1 200 OK\r\n"


def fetch(transport: HttpTransport, server: RawServer, deadline: Deadline | None, cap_bytes: int = 1000) -> bytes:
    with transport.open(HttpRequest("GET", server.url), deadline) as exchange:
        return exchange.read(cap_bytes=cap_bytes)


TRICKLES = {
    "the status line": trickle(b"HTTP/1.1 200 ", b"O"),
    "headers": trickle(HEAD, b"X-Drop: 1\r\n", pause_s=0.05),
    "a body with a length": trickle(HEAD + b"Content-Length: 900\r\n\r\n", b"x"),
    "a body in chunks": trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the size of a chunk": trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "a body that ends with the connection": trickle(HEAD + b"Connection: close\r\n\r\n", b"x"),
    "a body of HTTP/1.0": trickle(b"HTTP/1.0 200 OK\r\n\r\n", b"x"),
    "nothing at all": silent,
}


@pytest.mark.parametrize("serve", TRICKLES.values(), ids=TRICKLES)
def test_a_deadline_is_total_however_slowly_bytes_arrive(serve: object, make: Make, within: Within) -> None:
    with RawServer(serve) as server:  # type: ignore[arg-type]  # rows of a table
        began = time.monotonic()
        with pytest.raises(TransportError) as caught:
            fetch(make(), server, within(0.25))
    assert caught.value.kind is TransportFailure.TIMEOUT
    assert time.monotonic() - began < BOUND_S


def drip_handshake(connection: socket.socket, server: RawServer) -> None:
    """Begins an endless handshake: a record header that announces more than ever comes."""
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x3f\xff")
    while not server.stopped.wait(0.02):
        connection.sendall(b"\x02")


def test_a_trickled_tls_handshake_ends_with_the_deadline(make: Make, within: Within) -> None:
    with RawServer(drip_handshake) as server, pytest.raises(TransportError) as caught:
        make().open(HttpRequest("GET", f"https://127.0.0.1:{server.port}/"), within(0.25))
    assert caught.value.kind is TransportFailure.TIMEOUT


def test_a_trickled_answer_to_connect_ends_with_the_deadline(make: Make, within: Within) -> None:
    with RawServer(trickle(b"HTTP/1.1 200 ", b"O")) as server:
        proxies = ProxyOptions(https=f"http://127.0.0.1:{server.port}")
        with pytest.raises(TransportError) as caught:
            make(proxies=proxies).open(HttpRequest("GET", "https://api.test/"), within(0.25))
    assert caught.value.kind is TransportFailure.TIMEOUT


def test_a_deadline_that_has_passed_sends_nothing(make: Make, within: Within) -> None:
    with RawServer(always(ok(b"x"))) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(), server, within(0))
        assert caught.value.kind is TransportFailure.TIMEOUT
        assert server.accepted == 0


def test_an_idle_stream_without_a_deadline_ends_after_its_idle_timeout(make: Make) -> None:
    with RawServer(silent) as server, pytest.raises(TransportError) as caught:
        make().open(HttpRequest("GET", server.url, idle_timeout_s=0.2), None)
    assert caught.value.kind is TransportFailure.TIMEOUT


OVER_THE_CAP = {
    "announced": ok(b"x" * 1001),
    "in one chunk": chunked(b"x" * 1001),
    "in many chunks": chunked(*[b"x" * 100] * 11),
    "ended by the connection": b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1001,
}


@pytest.mark.parametrize("answer", OVER_THE_CAP.values(), ids=OVER_THE_CAP)
def test_a_body_over_the_cap_is_refused(answer: bytes, make: Make, within: Within) -> None:
    with RawServer(answers(answer)) as server, pytest.raises(TransportError) as caught:
        fetch(make(), server, within(10))
    assert caught.value.kind is TransportFailure.TOO_LARGE


def test_an_announced_body_over_the_cap_is_refused_before_it_arrives(make: Make, within: Within) -> None:
    def announce(connection: socket.socket, server: RawServer) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"Content-Length: 999999999999\r\n\r\n")
        server.stopped.wait()

    with RawServer(announce) as server, pytest.raises(TransportError, match="999999999999 bytes, at most 1000"):
        fetch(make(), server, within(10))


@pytest.mark.parametrize("answer", [ok(b"x" * 1000), chunked(b"x" * 999, b"x")], ids=["length", "chunks"])
def test_a_body_of_exactly_the_cap_is_read(answer: bytes, make: Make, within: Within) -> None:
    with RawServer(answers(answer)) as server:
        assert fetch(make(), server, within(10)) == b"x" * 1000


TRUNCATED = {
    "a length": HEAD + b"Content-Length: 10\r\n\r\n12345",
    "a length, before its first byte": HEAD + b"Content-Length: 10\r\n\r\n",
    "a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\na\r\n12345",
    "between chunks": chunked(b"12345", end=b""),
    "the size of a chunk": chunked(b"12345", end=b"1"),
    "the last chunk is missing": chunked(b"12345", b"67890", end=b"\r\n"),
}


@pytest.mark.parametrize("answer", TRUNCATED.values(), ids=TRUNCATED)
def test_a_body_that_ends_early_is_never_taken_for_whole(answer: bytes, make: Make, within: Within) -> None:
    with RawServer(answers(answer)) as server, pytest.raises(TransportError) as caught:
        fetch(make(), server, within(10))
    assert caught.value.kind is TransportFailure.TRUNCATED
    assert not caught.value.before_answer


def test_a_reset_within_a_body_is_a_truncation(make: Make, within: Within) -> None:
    def reset(connection: socket.socket, server: RawServer) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"Content-Length: 10\r\n\r\n12345")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with RawServer(reset) as server, pytest.raises(TransportError) as caught:
        fetch(make(), server, within(10))
    assert caught.value.kind is TransportFailure.TRUNCATED


def test_a_tls_stream_cut_within_a_body_is_a_truncation(make: Make, within: Within) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    with (
        RawServer(answers(HEAD + b"Content-Length: 10\r\n\r\n12345"), tls=context) as server,
        pytest.raises(TransportError) as caught,
    ):
        fetch(make(tls=TlsOptions(insecure=True)), server, within(10))
    assert caught.value.kind is TransportFailure.TRUNCATED


NOT_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.9\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "an endless header": HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    "too many headers": HEAD + b"X: y\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=NOT_HTTP)
def test_bytes_that_are_no_http_are_named_so(answer: bytes, make: Make, within: Within) -> None:
    with RawServer(answers(answer)) as server, pytest.raises(TransportError) as caught:
        fetch(make(), server, within(10))
    assert caught.value.kind is TransportFailure.PROTOCOL


def test_the_start_of_an_explaining_body_is_read_even_when_it_is_cut(make: Make, within: Within) -> None:
    cut = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\nthe upstream is gone"
    with RawServer(answers(cut)) as server, make().open(HttpRequest("GET", server.url), within(10)) as exchange:
        assert exchange.status == 502
        assert exchange.read_start(12) == b"the upstream"
