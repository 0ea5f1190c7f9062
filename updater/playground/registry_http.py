"""The HTTP/1.1 server below the playground's registry: reads requests, asks an application, writes answers.

One thread per connection, keep-alive, plain or TLS, loopback only, port chosen by the system. ``close`` ends every
connection and joins every thread. It understands as much HTTP as registry clients use: bodies with a Content-Length
or chunked. What an application raises is a bug of the playground: it is kept and raised again by ``close``.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from enum import Enum
from http import HTTPStatus
from http.client import parse_headers
from io import BufferedIOBase
from typing import Protocol
from urllib.parse import urlsplit

_POLL_S = 0.02
_LINE_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of zero: closing sends RST."""


@dataclass(frozen=True, slots=True)
class HttpAsked:
    """One request as it arrived. ``target`` is path and query as written."""

    method: str
    target: str
    headers: Message
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        return urlsplit(self.target).query


class Ending(Enum):
    """What happens to the connection after an answer."""

    KEEP = "keep"
    HALF_BODY = "half_body"
    """The header section promises the whole body, half of it is sent, the connection ends."""
    RESET = "reset"
    """Nothing is sent, the connection is reset."""
    HANG_UP = "hang_up"
    """Nothing is sent, the connection ends."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer; Content-Length is added when it is written. ``trickle_s`` is a pause before each byte of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    ending: Ending = Ending.KEEP
    trickle_s: float = 0.0


class HttpApplication(Protocol):
    """What answers requests; called from many threads at once."""

    def answer(self, asked: HttpAsked) -> HttpAnswer: ...


class _Connection(socketserver.StreamRequestHandler):
    """The life of one connection."""

    server: LoopbackServer

    def handle(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        while (asked := _read_request(self.rfile)) is not None:
            answer = self.server.application.answer(asked)
            if answer.ending is Ending.RESET:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            if answer.ending in {Ending.RESET, Ending.HANG_UP}:
                return
            self._write(_render_head(answer), _body_of(asked, answer), answer.trickle_s)
            if answer.ending is Ending.HALF_BODY or asked.headers.get("Connection", "").lower() == "close":
                return

    def _write(self, head: bytes, body: bytes, trickle_s: float) -> None:
        if not trickle_s:
            self.wfile.write(head + body)
            return
        self.wfile.write(head)
        for byte in body:
            if self.server.is_closing.wait(trickle_s):
                return
            self.wfile.write(bytes([byte]))


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Serves an application on a free port of the loopback interface until ``close``."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, application: HttpApplication, tls: ssl.SSLContext | None, *, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.application = application
        self.is_closing = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._bugs: list[BaseException] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name=name)
        self._thread.start()

    @property
    def address(self) -> str:
        """``http(s)://127.0.0.1:port``."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept; the TLS handshake is left to the connection's own thread, so a silent client blocks nobody."""
        accepted, peer = self.socket.accept()
        if self._tls is not None:
            accepted = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(accepted)
        return accepted, peer

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close without the farewell of the base class, which would turn a reset into an orderly end."""
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.discard(request)
            request.close()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base's signature
        """Runs inside the ``except`` of the base class."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self._bugs.append(error)

    def close(self) -> None:
        """Stop accepting, end every connection, join every thread; raises what the application raised, if anything."""
        self.is_closing.set()
        self.shutdown()
        self._thread.join()
        with self._lock:
            still_open = tuple(self._open)
        for connection in still_open:
            _end(connection)
        self.server_close()
        if self._bugs:
            raise self._bugs[0]


def _end(connection: socket.socket) -> None:
    """Wake the thread that reads this connection; past the TLS layer, whose own shutdown is not thread-safe."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # the peer or its own thread was faster, which is the state we want


def _read_request(stream: BufferedIOBase) -> HttpAsked | None:
    """The next request, None at the end of the connection."""
    words = stream.readline(_LINE_BYTES).decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = parse_headers(stream)
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = _read_chunks(stream)
    else:
        body = stream.read(int(headers.get("Content-Length", "0")))
    return HttpAsked(words[0], words[1], headers, body)


def _read_chunks(stream: BufferedIOBase) -> bytes:
    chunks = []
    while size := int(stream.readline(_LINE_BYTES).split(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline(_LINE_BYTES)
    stream.readline(_LINE_BYTES)
    return b"".join(chunks)


def _render_head(answer: HttpAnswer) -> bytes:
    known = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {answer.status} {known.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.status != HTTPStatus.NOT_MODIFIED and "Content-Length" not in answer.headers:
        lines.append(f"Content-Length: {len(answer.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _body_of(asked: HttpAsked, answer: HttpAnswer) -> bytes:
    if asked.method == "HEAD":
        return b""
    return answer.body[: len(answer.body) // 2] if answer.ending is Ending.HALF_BODY else answer.body
