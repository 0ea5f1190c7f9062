"""Peers on loopback that say exactly the bytes a test wants: a server, an HTTP proxy, certificates."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

JOIN_S = 10.0


def read_request(connection: socket.socket) -> bytes:
    """One request: head, and as much body as Content-Length announces; empty when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


class RawServer:
    """Hands every accepted connection to ``serve(connection, stopped)`` in a thread of its own.

    ``stopped`` is set when the server closes: a peer that waits waits on it. ``requests`` is for ``serve`` to fill.
    """

    def __init__(self, serve: Callable[[socket.socket, RawServer], None], *, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.stopped = threading.Event()
        self.accepted = 0
        self.requests: list[bytes] = []
        self._acceptor = threading.Thread(target=self._accept, name="raw-server")
        self._acceptor.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/"

    def note(self, request: bytes) -> None:
        with self._lock:
            self.requests.append(request)

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(JOIN_S)
        self._listener.close()
        with self._lock:
            connections, threads = tuple(self._open), tuple(self._threads)
        for connection in connections:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in threads:
            thread.join(JOIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._open.add(connection)
                thread = threading.Thread(target=self._run, args=(connection,), name="raw-server-connection")
                self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        used = connection
        try:
            if self._tls is not None:
                used = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                with self._lock:
                    self._open.add(used)
                used.do_handshake()
            self._serve(used, self)
        except (OSError, ssl.SSLError):
            # The client leaves whenever it likes; what it saw is what the test looks at.
            return
        finally:
            with self._lock:
                self._open -= {connection, used}
            used.close()
            connection.close()


def answers(*raw: bytes) -> Callable[[socket.socket, RawServer], None]:
    """Answers the requests of every connection with these bytes, one after the other, then closes it."""

    def serve(connection: socket.socket, server: RawServer) -> None:
        for answer in raw:
            request = read_request(connection)
            if not request:
                return
            server.note(request)
            connection.sendall(answer)

    return serve


def always(raw: bytes) -> Callable[[socket.socket, RawServer], None]:
    """Answers every request of every connection with the same bytes."""

    def serve(connection: socket.socket, server: RawServer) -> None:
        while request := read_request(connection):
            server.note(request)
            connection.sendall(raw)

    return serve


def trickle(start: bytes, drop: bytes, *, pause_s: float = 0.02) -> Callable[[socket.socket, RawServer], None]:
    """After ``start``, sends ``drop`` again and again, faster than any timeout between two bytes."""

    def serve(connection: socket.socket, server: RawServer) -> None:
        server.note(read_request(connection))
        connection.sendall(start)
        while not server.stopped.wait(pause_s):
            connection.sendall(drop)

    return serve


def silent(connection: socket.socket, server: RawServer) -> None:
    """Reads what comes and says nothing."""
    server.note(read_request(connection))
    server.stopped.wait()


def ok(body: bytes, *headers: str) -> bytes:
    """An answer with status 200 and Content-Length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """An answer with status 200 in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + end


def proxy(connection: socket.socket, server: RawServer) -> None:
    """A forwarding HTTP proxy: CONNECT for tunnels, absolute addresses for plain HTTP. One exchange a connection."""
    request = read_request(connection)
    server.note(request)
    verb, target = request.split(b" ")[:2]
    if verb == b"CONNECT":
        host, _, port = target.decode().rpartition(":")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        rest = target.removeprefix(b"http://")
        host, _, port = rest.partition(b"/")[0].decode().rpartition(":")
        request = request.replace(target, b"/" + rest.partition(b"/")[2], 1)
    with socket.create_connection((host, int(port))) as upstream:
        if verb != b"CONNECT":
            upstream.sendall(request)
        _pump(connection, upstream)


def _pump(left: socket.socket, right: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(left, selectors.EVENT_READ, right)
        selector.register(right, selectors.EVENT_READ, left)
        while True:
            for key, _ in selector.select():
                piece = key.fileobj.recv(65536)  # type: ignore[union-attr]  # both are sockets
                if not piece:
                    return
                key.data.sendall(piece)


def open_sockets_to(port: int) -> int:
    """How many sockets of this process are connected to a local port, from /proc: other tests' do not count."""
    ours = set()
    for name in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            ours.add(str(name.readlink()))
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(f"socket:[{row[9]}]" in ours for row in rows if int(row[2].partition(":")[2], 16) == port)
