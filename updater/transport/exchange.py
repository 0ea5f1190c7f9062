"""One request and its answer: reading under a deadline and a cap, and cancellation from another thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import urllib3
from urllib3.connection import HTTPConnection

from updater.clock import Deadline
from updater.transport.errors import TransportError, TransportFailure, transport_error
from updater.transport.watchdog import Watch, Watchdog

_CHUNK_BYTES = 256 * 1024
"""Upper bound of one read; a read returns as soon as anything has arrived."""


class HttpExchange:
    """Read by one thread; ``cancel`` may come from any other.

    The transport drives it through ``watch``, ``attach``, ``detach``, ``answered`` and ``failure``; callers use the
    rest.
    """

    def __init__(self, deadline: Deadline | None, when_closed: Callable[[HttpExchange], None]) -> None:
        self.deadline = deadline
        self._when_closed = when_closed
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None
        self._raw: urllib3.BaseHTTPResponse | None = None
        self._interrupted: TransportFailure | None = None
        self._watch: Watch | None = None
        self._closed = False
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

    def attach(self, connection: HTTPConnection) -> None:
        """This connection is about to carry the request; raises when the exchange was interrupted before."""
        with self._lock:
            self._connection = connection
            self.used_kept_alive_connection = connection.sock is not None
            interrupted = self._interrupted
        if interrupted is not None:
            raise TransportError(interrupted)

    def detach(self) -> None:
        """The connection goes back to its pool: from now on an interruption must not touch it."""
        with self._lock:
            self._connection = None

    def answered(self, raw: urllib3.BaseHTTPResponse) -> None:
        """The head of the answer is here."""
        self._raw = raw

    def failure(self, error: BaseException, *, before_answer: bool) -> TransportError:
        """What an exception means for this exchange: its own interruption explains a broken socket."""
        if self._interrupted is not None:
            return TransportError(self._interrupted, before_answer=before_answer)
        if self.deadline is not None and self.deadline.has_passed:
            return TransportError(TransportFailure.TIMEOUT, before_answer=before_answer)
        return transport_error(error, before_answer=before_answer)

    def _read_some(self) -> bytes:
        try:
            return self._answer.read1(_CHUNK_BYTES, decode_content=False) or b""
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # A socket shut down under a blocked read also surfaces as ValueError or AttributeError in http.client.
            raise self.failure(error, before_answer=False) from error

    def _interrupt(self, kind: TransportFailure) -> None:
        with self._lock:
            if self._interrupted is None:
                self._interrupted = kind
            sock = self._connection.sock if self._connection is not None else None
            if sock is not None:
                _shut_down(sock)


def _too_large(detail: str) -> TransportError:
    return TransportError(TransportFailure.TOO_LARGE, detail, before_answer=False)


def _shut_down(sock: socket.socket) -> None:
    """Wake whoever waits on the socket, without touching the TLS state that the reading thread is using."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        # The peer was quicker; the reader finds out by itself.
        return
