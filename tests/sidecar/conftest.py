"""Listeners on loopback, and clients that do what no library would."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from sidecar.addresses import Address
from sidecar.connections import Limits
from sidecar.server import Listener, ListenerOptions, nobody_cares
from tests.sidecar.recording import RecordingLog
from updater.clock import Deadline, SystemClock

StartListener = Callable[..., Listener]


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answers with the body, or with the path."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size) if size else environ["PATH_INFO"].encode("latin-1")
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


@pytest.fixture
def listen(log: RecordingLog) -> Iterator[StartListener]:
    """Starts listeners that the test's end stops."""
    clock = SystemClock()
    started: list[Listener] = []

    def start(
        application: WSGIApplication = echo,
        *,
        limits: Limits | None = None,
        on_death: Callable[[str], None] = nobody_cares,
        host: str = "127.0.0.1",
        **options: object,
    ) -> Listener:
        wanted = ListenerOptions("test", "--test-port", limits or Limits(workers=2), **options)
        listener = Listener(Address(host, 0), application, wanted, clock, log)
        listener.bind()
        listener.start(on_death)
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stop(Deadline.after(clock, 5))


def say(listener: Listener, raw: bytes, *, timeout_s: float = 10.0) -> bytes:
    """Everything that is answered to these bytes until the listener closes."""
    with closing(socket.create_connection(("127.0.0.1", listener.address.port), timeout=timeout_s)) as peer:
        peer.sendall(raw)
        return read_all(peer)


def read_all(peer: socket.socket) -> bytes:
    answer = b""
    while True:
        try:
            part = peer.recv(65_536)
        except ConnectionResetError:
            return answer
        if not part:
            return answer
        answer += part
