"""One connection of the gRPC-Web server: TLS or not, then request after request on HTTP/1.1.

Follows ``argocd-api.md`` 3.1, 3.2 and 4.1 for what is served, what is refused, and with which HTTP status.
"""

# ruff: noqa: N815 - http.server finds the method of a verb by its name

from __future__ import annotations

import base64
import binascii
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from updater.playground import frames
from updater.playground.call_log import HttpRequest, Log, shown
from updater.playground.faults import Faults
from updater.playground.routes import Routes
from updater.playground.web_call import WebCall, carry_out, wait_for_input
from updater.playground.web_outlet import HttpOutlet
from updater.playground.web_reply import CONTENT_TYPE, Cut, Headers, WebReply

_TLS_HANDSHAKE = b"\x16"
# Headers that carry the call and are not metadata.
_NOT_METADATA = frozenset({"content-type", "content-length", "connection", "te", "transfer-encoding", "grpc-timeout"})


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections, one thread each, and knows the open ones so that closing can end them."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], routes: Routes, faults: Faults, *, root: str, tls: ssl.SSLContext | None
    ) -> None:
        self.routes = routes
        self.faults = faults
        self.root = root
        self.tls = tls
        self.closing = threading.Event()
        self.accepted = 0
        self.requests: Log[HttpRequest] = Log()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, Connection)

    def track(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        if self.closing.is_set():
            _cut(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def cut_connections(self) -> None:
        with self._lock:
            for each in self._open:
                _cut(each)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.accepted += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may leave at any time; anything else is a bug of the playground and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    """The requests of one client. Its ``request`` is the socket, wrapped when the client speaks TLS."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener
    raw_requestline: bytes

    def setup(self) -> None:
        threading.current_thread().name = "playground-grpc-web-connection"
        self.server.track(self.request)
        speaks_tls = self.request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
        # TLS to a plaintext server matches nothing: the connection is closed (4.1).
        self._is_refused = speaks_tls and self.server.tls is None
        self._is_redirected = not speaks_tls and self.server.tls is not None
        if speaks_tls and self.server.tls is not None:
            self._start_tls(self.server.tls)
        super().setup()

    def _start_tls(self, context: ssl.SSLContext) -> None:
        plain = self.request
        self.request = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self.server.forget(plain)
        self.server.track(self.request)
        try:
            self.request.do_handshake()
        except OSError:
            self._release()
            raise

    def handle(self) -> None:
        if not self._is_refused:
            super().handle()

    def finish(self) -> None:
        super().finish()
        self._release()

    def _release(self) -> None:
        self.server.forget(self.request)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """The world's log says what was asked; nothing is printed."""

    def parse_request(self) -> bool:
        if self.raw_requestline.startswith(b"PRI "):
            # HTTP/2 that is not native gRPC: closed without an answer (4.1).
            self.close_connection = True
            return False
        is_good = super().parse_request()
        if is_good:
            # As it was sent: the base class merges leading slashes, the API server does not.
            self.path = self.requestline.split()[1]
        return is_good

    def do_POST(self) -> None:
        try:
            body = self._read_body()
            self.server.requests.add(HttpRequest(self.command, self.path, shown(self.headers.items())))
            plan = self.server.faults.plan
            if self._is_redirected:
                self._plain_answer(307, [("Location", f"https://{self.headers.get('Host', '')}{self.path}")], b"")
            elif plan.never_answers:
                self._wait_for_the_end()
            elif (canned := self.server.faults.take_canned()) is not None:
                self._plain_answer(canned.status, canned.headers, canned.body)
            else:
                self._route(body)
        except Cut:
            self.close_connection = True
            _cut(self.request)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = do_PATCH = do_POST

    def _route(self, body: bytes) -> None:
        """Serve what argocd-server serves: the content type is looked up as a whole, the root path is required."""
        root = self.server.root
        if root and not self.path.startswith(f"{root}/"):
            self._text_answer(404, "404 page not found")
            return
        path = self.path.removeprefix(root)
        if self.headers.get("Content-Type") != CONTENT_TYPE:
            is_api = path.startswith("/api/")
            self._text_answer(415 if is_api else 404, "Invalid content type" if is_api else "404 page not found")
        elif self.command != "POST":
            self._text_answer(405, f'invalid gRPC request method "{self.command}"')
        else:
            self._serve_call(path, body)

    def _serve_call(self, path: str, body: bytes) -> None:
        try:
            timeout = self.headers.get("grpc-timeout")
            timeout_s = None if timeout is None else frames.parse_timeout_s(timeout)
            metadata = tuple(self._metadata())
        except ValueError as error:
            self._text_answer(400, str(error))
            return
        handler = self.server.routes.find(path)
        plan = self.server.faults.plan
        reply = WebReply(HttpOutlet(self), plan, self.server.closing, is_stream=handler.unary_stream is not None)
        call = WebCall(metadata, reply, self.request, timeout_s=timeout_s)
        try:
            if plan.sends_early_headers:
                reply.start()
            code, message = carry_out(handler, body, call, reply)
        finally:
            call.close()
        reply.finish(code, message, call.trailers())

    def _metadata(self) -> Iterator[tuple[str, str | bytes]]:
        for name, value in self.headers.items():
            key = name.lower()
            if key.endswith("-bin"):
                yield key, _decode_binary(key, value)
            elif key not in _NOT_METADATA:
                yield key, value

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _wait_for_the_end(self) -> None:
        """Hold the connection without a word until the client leaves or the server closes."""
        wait_for_input(self.request)
        raise Cut

    def _text_answer(self, status: int, text: str) -> None:
        self._plain_answer(status, [("Content-Type", "text/plain; charset=utf-8")], f"{text}\n".encode())

    def _plain_answer(self, status: int, headers: Headers, body: bytes) -> None:
        HttpOutlet(self).start(status, headers, length=len(body))
        self.wfile.write(body)


def _decode_binary(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"malformed binary metadata {name!r}: {error}") from error


def _cut(connection: socket.socket) -> None:
    """End both directions of a connection another thread may be using; it stays that thread's to close."""
    try:
        # Not SSLSocket.shutdown, which takes the TLS state away under the other thread.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
