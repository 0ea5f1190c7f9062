"""Wrong secrets as fast as they can be sent, slow senders, bodies of every size: others go on being served."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from served import WAIT_S, Served, pushed

from sidecar.webhooks.application import LIMITS, MAX_BODY_BYTES
from updater.playground.showcase import Showcase

pytestmark = pytest.mark.wire

Serve = Callable[..., Served]
SENDERS = 4
WRONG = b"POST /webhook?type=docker.io&secret=wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def knock(port: int) -> bool:
    """One webhook with a wrong secret; whether it was answered as such."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)) as peer:
        peer.sendall(WRONG)
        answer = b""
        while piece := peer.recv(4096):
            answer += piece
        return b"400" in answer.split(b"\r\n", 1)[0]


@contextmanager
def flood(port: int) -> Iterator[list[int]]:
    """Wrong secrets as fast as they are answered, until the end of the block; the counts by sender."""
    is_over = threading.Event()
    counts = [0] * SENDERS

    def send(number: int) -> None:
        while not is_over.is_set():
            try:
                counts[number] += knock(port)
            except OSError:
                # Turned away while the server is full, which is its right.
                continue

    with ThreadPoolExecutor(SENDERS) as pool:
        futures = [pool.submit(send, number) for number in range(SENDERS)]
        yield counts
        is_over.set()
        for future in futures:
            future.result(WAIT_S)


@pytest.mark.slow
def test_a_flood_of_wrong_secrets_costs_neither_memory_nor_threads_nor_others(showcase: Showcase, serve: Serve) -> None:
    served = serve(is_polling=False, interval_s=0.0)
    served.log.wait("applications_listed")
    with flood(served.port) as counts:
        while sum(counts) < 1_000:
            assert served.send(b"", "/healthz", method="GET") == (200, "OK")
        before_bytes, before_threads = resident_bytes(), threading.active_count()
        written = served.next_write()
        showcase.push_release("web", "1.0.1")
        assert served.send(pushed("web", "1.0.1"))[0] == 200
        written.get(timeout=WAIT_S)
        while sum(counts) < 5_000:
            assert served.send(b"", "/healthz", method="GET") == (200, "OK")
        assert threading.active_count() <= before_threads + 10
        assert resident_bytes() - before_bytes < 16_000_000
    failed = [fields for fields in served.log.of("webhook_failed") if fields["code"] == "bad_secret"]
    assert len(failed) == 1, "one record a minute says why"


def test_slow_senders_do_not_keep_others_from_being_heard(serve: Serve) -> None:
    served = serve(is_polling=False, interval_s=0.0)
    head = b"POST /webhook?type=native HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    peers = [socket.create_connection(("127.0.0.1", served.port), timeout=WAIT_S) for _ in range(LIMITS.workers - 1)]
    try:
        for peer in peers:
            peer.sendall(head)
        assert served.send(pushed("web", "1"))[0] == 200
    finally:
        for peer in peers:
            peer.close()


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_cap_is_answered_and_not_kept(serve: Serve, size: int, *, is_chunked: bool) -> None:
    served = serve(is_polling=False, interval_s=0.0)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    pieces = (b"x" * 65_536 for _ in range(size // 65_536 + 1))
    with closing(connection):
        headers = {} if is_chunked else {"Content-Length": str((size // 65_536 + 1) * 65_536)}
        connection.request("POST", "/webhook?type=native", pieces, headers, encode_chunked=is_chunked)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (413, b"request body too large")
    assert served.send(pushed("web", "1"))[0] == 200


def test_a_chunked_event_is_read(serve: Serve) -> None:
    served = serve(is_polling=False, interval_s=0.0)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    with closing(connection):
        body = iter([b'{"name":"registry.example.com/shop/unused",', b'"tag":"1"}'])
        headers = {"X-Webhook-Secret": "s3cret"}
        connection.request("POST", "/webhook?type=native", body, headers, encode_chunked=True)
        assert connection.getresponse().status == 200
    assert served.log.wait("webhook_accepted")["repository"] == "shop/unused"
