"""Connections: cancelled, reused, repeated once, never leaked, and given back on every path."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from raw_peers import RawServer, always, answers, chunked, ok, open_sockets_to, read_request, silent

from updater.clock import Deadline, SystemClock
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpExchange, HttpRequest, HttpTransport

pytestmark = pytest.mark.wire

Make = Callable[..., HttpTransport]
Within = Callable[[float], Deadline]
HEAD = b"HTTP/1.1 200 OK\r\n"


class LeapingClock(SystemClock):
    """The real clock, which a test puts forward."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def fetch(transport: HttpTransport, url: str, deadline: Deadline | None, *, is_repeatable: bool = True) -> bytes:
    with transport.open(HttpRequest("GET", url, is_repeatable=is_repeatable), deadline) as exchange:
        return exchange.read(cap_bytes=100_000)


class Stalling:
    """Sends a beginning, tells that it did, and stops."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning
        self.has_begun = threading.Event()

    def __call__(self, connection: socket.socket, server: RawServer) -> None:
        read_request(connection)
        connection.sendall(self._beginning)
        self.has_begun.set()
        server.stopped.wait()


STALLS = {
    "before the head": b"",
    "in the head": HEAD + b"X-Begun: yes\r\n",
    "in a body with a length": HEAD + b"Content-Length: 10\r\n\r\n12345",
    "in a body in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    "in a body that ends with the connection": HEAD + b"Connection: close\r\n\r\n12345",
}


@pytest.mark.parametrize("beginning", STALLS.values(), ids=STALLS)
def test_cancelling_from_another_thread_ends_the_wait(beginning: bytes, make: Make) -> None:
    peer = Stalling(beginning)
    with RawServer(peer) as server:
        transport = make()
        exchange = transport.begin(None)

        def cancel() -> None:
            assert peer.has_begun.wait(10)
            exchange.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()

        def send_and_read() -> bytes:
            with exchange:
                transport.send(exchange, HttpRequest("GET", server.url))
                return exchange.read(cap_bytes=100)

        with pytest.raises(TransportError) as caught:
            send_and_read()
        canceller.join()
    assert caught.value.kind is TransportFailure.CANCELLED


def test_an_exchange_cancelled_before_it_is_sent_sends_nothing(make: Make) -> None:
    with RawServer(always(ok(b"x"))) as server:
        transport = make()
        exchange = transport.begin(None)
        exchange.cancel()
        with pytest.raises(TransportError) as caught:
            transport.send(exchange, HttpRequest("GET", server.url))
        assert caught.value.kind is TransportFailure.CANCELLED
        assert server.accepted == 0


def test_cancelling_during_a_tls_handshake_ends_it(make: Make) -> None:
    has_begun = threading.Event()

    def stall(connection: socket.socket, server: RawServer) -> None:
        connection.recv(65536)
        has_begun.set()
        server.stopped.wait()

    with RawServer(stall) as server:
        transport = make()
        exchange = transport.begin(None)
        canceller = threading.Thread(target=lambda: has_begun.wait(10) and exchange.cancel())
        canceller.start()
        with pytest.raises(TransportError) as caught:
            transport.send(exchange, HttpRequest("GET", f"https://127.0.0.1:{server.port}/"))
        canceller.join()
    assert caught.value.kind is TransportFailure.CANCELLED


def test_closing_the_transport_cancels_what_runs_and_refuses_more(make: Make) -> None:
    peer = Stalling(b"")
    with RawServer(peer) as server, ThreadPoolExecutor(1) as pool:
        transport = make()
        running = pool.submit(fetch, transport, server.url, None)
        assert peer.has_begun.wait(10)
        transport.close()
        with pytest.raises(TransportError) as caught:
            running.result(10)
        assert caught.value.kind is TransportFailure.CANCELLED
        with pytest.raises(TransportError, match="the transport is closed"):
            fetch(transport, server.url, None)


def test_begin_on_a_closed_watchdog_gives_its_slot_back(make: Make, within: Within) -> None:
    transport = make(pool_size=1)
    transport._watchdog.close()
    for _ in range(3):
        with pytest.raises(TransportError) as caught:
            transport.begin(within(5))
        assert caught.value.kind is TransportFailure.CANCELLED


REUSABLE = {"a length": ok(b"hello"), "chunks": chunked(b"he", b"llo"), "an empty body": ok(b"")}


@pytest.mark.parametrize("answer", REUSABLE.values(), ids=REUSABLE)
def test_a_connection_whose_answer_was_read_serves_the_next_request(answer: bytes, make: Make, within: Within) -> None:
    with RawServer(always(answer)) as server:
        transport = make()
        for _ in range(5):
            fetch(transport, server.url, within(10))
        assert (server.accepted, len(server.requests)) == (1, 5)


def test_a_connection_whose_answer_was_not_read_is_closed(make: Make, within: Within) -> None:
    with RawServer(always(ok(b"x" * 50_000))) as server:
        transport = make()
        for _ in range(3):
            transport.open(HttpRequest("GET", server.url), within(10)).close()
        assert server.accepted == 3


def test_draining_the_end_of_a_chunked_body_keeps_its_connection(make: Make, within: Within) -> None:
    with RawServer(always(chunked(b"hello"))) as server:
        transport = make()
        for _ in range(3):
            with transport.open(HttpRequest("GET", server.url), within(10)) as exchange:
                assert next(exchange.chunks()) == b"hello"
                exchange.drain()
        assert server.accepted == 1


def dies_after_one(answer: bytes) -> Callable[[socket.socket, RawServer], None]:
    """Answers one request of a connection, reads a second one, and then cuts the connection."""

    def serve(connection: socket.socket, server: RawServer) -> None:
        server.note(read_request(connection))
        connection.sendall(answer)
        server.note(read_request(connection))

    return serve


def test_a_kept_alive_connection_that_dies_is_replaced_once(make: Make, within: Within) -> None:
    with RawServer(dies_after_one(ok(b"hello"))) as server:
        transport = make()
        assert fetch(transport, server.url, within(10)) == b"hello"
        assert fetch(transport, server.url, within(10)) == b"hello"
        assert (server.accepted, len(server.requests)) == (2, 3)


def test_a_request_that_is_not_repeatable_is_sent_once(make: Make, within: Within) -> None:
    with RawServer(dies_after_one(ok(b"hello"))) as server:
        transport = make()
        fetch(transport, server.url, within(10))
        with pytest.raises(TransportError) as caught:
            fetch(transport, server.url, within(10), is_repeatable=False)
        assert caught.value.kind is TransportFailure.RESET
        assert (server.accepted, len(server.requests)) == (1, 2)


def test_a_fresh_connection_that_dies_is_not_replaced(make: Make, within: Within) -> None:
    with RawServer(answers(b"")) as server:
        with pytest.raises(TransportError) as caught:
            fetch(make(), server.url, within(10))
        assert caught.value.kind is TransportFailure.RESET
        assert server.accepted == 1


def test_an_answer_that_has_begun_is_not_asked_for_again(make: Make, within: Within) -> None:
    with RawServer(answers(ok(b"hello"), HEAD + b"Content-Length: 10\r\n\r\n12345")) as server:
        transport = make()
        fetch(transport, server.url, within(10))
        with pytest.raises(TransportError) as caught:
            fetch(transport, server.url, within(10))
        assert caught.value.kind is TransportFailure.TRUNCATED
        assert len(server.requests) == 2


PATHS = {
    "read to the end": always(ok(b"x")),
    "not HTTP": answers(b"SSH-2.0\r\n"),
    "cut before the head": answers(b""),
    "cut in the body": answers(HEAD + b"Content-Length: 10\r\n\r\n12345"),
    "over the cap": always(ok(b"x" * 200_000)),
}


@pytest.mark.parametrize("serve", PATHS.values(), ids=PATHS)
def test_a_slot_comes_back_on_every_path(
    serve: Callable[[socket.socket, RawServer], None], make: Make, within: Within
) -> None:
    with RawServer(serve) as server:
        transport = make(pool_size=1)
        for _ in range(3):
            with contextlib.suppress(TransportError):
                fetch(transport, server.url, within(10))
        transport.begin(within(5)).close()


def test_a_slot_comes_back_when_the_deadline_passes_or_nobody_listens(make: Make, within: Within) -> None:
    transport = make(pool_size=1)
    with RawServer(silent) as server:
        url = server.url
        with pytest.raises(TransportError):
            fetch(transport, url, within(0.1))
    with pytest.raises(TransportError) as caught:
        fetch(transport, url, within(5))
    assert caught.value.kind is TransportFailure.CONNECT
    transport.begin(within(5)).close()


def test_waiting_for_a_slot_ends_with_the_deadline(make: Make, within: Within) -> None:
    transport = make(pool_size=1)
    with transport.begin(None), pytest.raises(TransportError, match="no connection became free") as caught:
        transport.begin(within(0.1))
    assert caught.value.kind is TransportFailure.TIMEOUT


def test_a_deadline_of_an_ended_exchange_leaves_the_next_user_of_its_connection_alone(
    make: Make, within: Within
) -> None:
    """The first exchange has read its answer but is not closed; its deadline passes while the second one reads."""
    interrupted, clock = threading.Event(), LeapingClock()

    def serve(connection: socket.socket, server: RawServer) -> None:
        read_request(connection)
        connection.sendall(ok(b"first"))
        read_request(connection)
        clock.ahead_s = 30.0
        # Wakes who sleeps until the deadline, in seconds that did not leap.
        transport._watchdog.watch(within(0), lambda: None)
        assert interrupted.wait(10)
        connection.sendall(ok(b"second"))

    class Telling(HttpExchange):
        """Says when its deadline has been enforced."""

        def _interrupt(self, kind: TransportFailure) -> None:
            super()._interrupt(kind)
            interrupted.set()

    transport = make()
    with RawServer(serve) as server:
        first = transport.begin(Deadline.after(clock, 20))
        first.__class__ = Telling
        transport.send(first, HttpRequest("GET", server.url))
        assert first.read(cap_bytes=100) == b"first"
        assert fetch(transport, server.url, within(40)) == b"second"
        assert interrupted.is_set()
        assert server.accepted == 1
        first.close()


def mixed(connection: socket.socket, server: RawServer) -> None:
    """Good and bad answers by turns, chosen by the path that was asked for."""
    while request := read_request(connection):
        number = int(request.split(b" ")[1].removeprefix(b"/"))
        match number % 8:
            case 0 | 1 | 2:
                connection.sendall(ok(b"x" * 100))
            case 3:
                connection.sendall(chunked(b"x" * 50, b"y" * 50))
            case 4:
                connection.sendall(HEAD + b"Content-Length: 10\r\n\r\n12345")
                return
            case 5:
                return
            case 6:
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 100)
                return
            case _:
                connection.sendall(b"nonsense\r\n")
                return


def test_a_thousand_exchanges_from_sixteen_threads_leave_no_socket_behind(make: Make, within: Within) -> None:
    with RawServer(mixed) as server:
        transport = make(pool_size=8)
        port = server.port

        def one(number: int) -> TransportFailure | int:
            try:
                return len(fetch(transport, f"{server.url}{number}", within(30), is_repeatable=False))
            except TransportError as error:
                return error.kind

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(one, range(1000)))
        fetch(transport, f"{server.url}0", within(30))
        assert 0 < open_sockets_to(port) <= 8
        transport.close()
        assert open_sockets_to(port) == 0
    good = [outcome for outcome in outcomes if outcome == 100]
    assert len(good) >= 600 - 8
    assert {TransportFailure.TRUNCATED, TransportFailure.RESET, TransportFailure.PROTOCOL} <= set(outcomes)
    for _ in range(8):
        transport._slots.acquire(timeout=0)
    assert not transport._running


def hinting(connection: socket.socket, server: RawServer) -> None:
    """Answers with the path that was asked for, after two interim answers."""
    while request := read_request(connection):
        server.note(request)
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        connection.sendall(ok(request.split()[1]))


def test_interim_answers_are_skipped_and_nobody_gets_the_answer_of_another(make: Make, within: Within) -> None:
    with RawServer(hinting) as server:
        transport = make()
        paths = ["first", "second", "third"]
        assert [fetch(transport, f"{server.url}{path}", within(10)) for path in paths] == [
            b"/first",
            b"/second",
            b"/third",
        ]
        assert server.accepted == 1


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"]
)
def test_interim_answers_without_end_and_unwanted_upgrades_are_refused(raw: bytes, make: Make, within: Within) -> None:
    with RawServer(answers(raw)) as server, pytest.raises(TransportError) as raised:
        make().open(HttpRequest("GET", server.url), within(10))
    assert raised.value.kind is TransportFailure.PROTOCOL
