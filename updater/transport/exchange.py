"""One request and its answer: reading under a deadline and a cap, and cancellation from another thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import urllib3

from updater.clock import Deadline
from updater.transport.errors import TransportError, TransportFailure, transport_error
from updater.transport.watchdog import Watch, Watchdog

_CHUNK_BYTES = 256 * 1024
"""Upper bound of one read; a read returns as soon as anything has arrived."""

_DRAIN_S = 1.0
"""How long the end of a body is waited for that has said everything: it follows at once, or a proxy withholds it."""


class HttpExchange:
    """Read by one thread; ``cancel`` may come from any other.

    The transport drives it through ``watch``, ``attach``, ``carried_by``, ``connected``, ``forget``, ``detach``,
    ``check``, ``answered`` and ``failure``; callers use the rest.
    """

    def __init__(self, deadline: Deadline | None, when_closed: Callable[[HttpExchange], None]) -> None:
        self.deadline = deadline
        self._when_closed = when_closed
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._raw: urllib3.BaseHTTPResponse | None = None
        self._interrupted: TransportFailure | None = None
        self._watch: Watch | None = None
        self._closed = False
        self._is_connected = False
        self.used_kept_alive_connection = False

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> urllib3.HTTPHeaderDict:
        """Case-insensitive; ``getlist(name)`` gives repeated lines."""
        return self._answer.headers

    @property
    def _answer(self) -> urllib3.BaseHTTPResponse:
        if self._raw is None:
            raise RuntimeError("the exchange has no answer yet")
        return self._raw

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, in pieces of any size; raises ``TransportError`` when it does not end properly."""
        while chunk := self._read_some():
            yield chunk

    def read(self, *, cap_bytes: int) -> bytes:
        """The whole body; ``TransportError`` TOO_LARGE as soon as it is known to be over the cap."""
        announced = getattr(self._answer, "length_remaining", None) or 0
        if announced > cap_bytes:
            raise _too_large(f"{announced} bytes, at most {cap_bytes} are accepted")
        parts: list[bytes] = []
        size = 0
        for chunk in self.chunks():
            size += len(chunk)
            if size > cap_bytes:
                raise _too_large(f"more than {cap_bytes} bytes")
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_start(self, size_bytes: int) -> bytes:
        """The first bytes of a body that only serves to explain an error: as much as arrives, never a failure."""
        start = b""
        try:
            for chunk in self.chunks():
                start += chunk
                if len(start) >= size_bytes:
                    break
        except TransportError:
            # What has arrived explains the error at hand better than a second error would.
            return start[:size_bytes]
        return start[:size_bytes]

    def drain(self) -> None:
        """Wait a moment for the end of a body that has said everything: only then is its connection kept.

        A chunked body ends with bytes of its own after the last ones that mean anything. Never a failure: where more
        follows, or nothing within a second, ``close`` gives up the connection.
        """
        with self._lock:
            sock = self._socket
        if sock is None:
            return
        try:
            sock.settimeout(_DRAIN_S)
            self._read_some()
        except (TransportError, OSError):
            # The answer is complete; what is lost is a connection, and the next call makes another.
            return

    def cancel(self) -> None:
        """End the exchange from another thread; the reader gets ``TransportError`` CANCELLED."""
        self._interrupt(TransportFailure.CANCELLED)

    def close(self) -> None:
        """Give the connection back, or close it when the body was not read to its end. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.done()
        if self._raw is not None and not self._raw.closed:
            self._raw.close()
            self._raw.release_conn()
        self.detach()
        self._when_closed(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def watch(self, watchdog: Watchdog) -> None:
        """Have the deadline enforced, however slowly bytes arrive."""
        if self.deadline is not None:
            self._watch = watchdog.watch(self.deadline, lambda: self._interrupt(TransportFailure.TIMEOUT))

    def attach(self, sock: socket.socket | None) -> None:
        """A connection was taken from the pool; ``sock`` is None when it is not connected yet."""
        with self._lock:
            self._socket = sock
            self.used_kept_alive_connection = self._is_connected = sock is not None

    def carried_by(self, sock: socket.socket) -> None:
        """From now on an interruption shuts this socket down; at once, when there has been one already.

        The socket itself is kept, not the connection: a connection lets go of it as soon as it has read the head of
        an answer after which the server closes.
        """
        with self._lock:
            self._socket = sock
            if self._interrupted is not None:
                _shut_down(sock)

    def connected(self, sock: socket.socket) -> None:
        """TCP, tunnel and TLS are up: this is the socket that carries the request."""
        self._is_connected = True
        self.carried_by(sock)

    def forget(self, sock: socket.socket) -> None:
        """This socket is about to be closed."""
        with self._lock:
            if self._socket is sock:
                self._socket = None

    def detach(self) -> None:
        """The connection goes back to its pool: from now on an interruption must not touch it."""
        with self._lock:
            self._socket = None

    def check(self) -> None:
        """Raises ``TransportError`` when the exchange was interrupted, or its time is up, before anything was sent."""
        if self._interrupted is not None:
            raise TransportError(self._interrupted)
        if self.deadline is not None and self.deadline.has_passed:
            raise TransportError(TransportFailure.TIMEOUT)

    def answered(self, raw: urllib3.BaseHTTPResponse) -> None:
        """The head of the answer is here."""
        self._raw = raw

    def failure(self, error: BaseException, *, before_answer: bool) -> TransportError:
        """What an exception means for this exchange: its own interruption explains a broken socket."""
        if self._interrupted is not None:
            return TransportError(self._interrupted, before_answer=before_answer)
        if self.deadline is not None and self.deadline.has_passed:
            return TransportError(TransportFailure.TIMEOUT, before_answer=before_answer)
        is_connected = self.used_kept_alive_connection or not before_answer
        failure = transport_error(error, before_answer=before_answer, is_connected=is_connected)
        if failure.kind is TransportFailure.TIMEOUT and not self._is_connected:
            # The limit for connecting, which also holds for the handshake; of the deadline there is time left.
            return TransportError(TransportFailure.CONNECT, "no answer in time", before_answer=before_answer)
        return failure

    def _read_some(self) -> bytes:
        try:
            chunk = self._answer.read1(_CHUNK_BYTES, decode_content=False) or b""
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # A socket shut down under a blocked read also surfaces as ValueError or AttributeError in http.client.
            raise self.failure(error, before_answer=False) from error
        if not chunk and self._interrupted is not None:
            # Where the end of the connection is the end of the body, our own interruption looks like one.
            raise TransportError(self._interrupted, before_answer=False)
        return chunk

    def _interrupt(self, kind: TransportFailure) -> None:
        with self._lock:
            if self._interrupted is None:
                self._interrupted = kind
            if self._socket is not None:
                _shut_down(self._socket)


def _too_large(detail: str) -> TransportError:
    return TransportError(TransportFailure.TOO_LARGE, detail, before_answer=False)


def _shut_down(sock: socket.socket) -> None:
    """Wake whoever waits on the socket, without touching the TLS state that the reading thread is using."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        # The peer was quicker; the reader finds out by itself.
        return
