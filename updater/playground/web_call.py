"""A gRPC-Web call as the servicers see it: the same interface that grpcio gives them.

A call ends by its answer, its deadline, the client's leaving or the server's closing. The last three are noticed by
one thread that looks after the connection; it starts with the first callback, so only calls that wait have one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Never, cast

import grpc

from updater.playground import frames
from updater.playground.routes import Handler
from updater.playground.web_reply import Cut, WebReply

Metadata = Sequence[tuple[str, str | bytes]]


class Aborted(Exception):
    """The call ended with a status other than success."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WebCall(grpc.ServicerContext):
    """The context of one call. ``timeout_s`` is what is left of the client's deadline, None for none."""

    def __init__(
        self, metadata: Metadata, reply: WebReply, connection: socket.socket, *, timeout_s: float | None
    ) -> None:
        self._metadata = metadata
        self._reply = reply
        self._connection = connection
        self._deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._has_ended = False
        self._guard: threading.Thread | None = None
        self._waker: socket.socket | None = None
        self._trailing: Metadata = ()

    @property
    def deadline_passed(self) -> bool:
        return self._deadline_s is not None and time.monotonic() >= self._deadline_s

    def close(self) -> None:
        """End the call: run its callbacks, stop the guard and wait for it."""
        self.cancel()
        if self._guard is not None and self._waker is not None:
            self._waker.close()
            self._guard.join()

    def sever(self) -> Never:
        """Cut the connection without an answer."""
        raise Cut

    def trailers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self._trailing]

    # What grpcio's servicers may ask of their context

    def is_active(self) -> bool:
        return not self._has_ended

    def time_remaining(self) -> float:
        return float("inf") if self._deadline_s is None else max(0.0, self._deadline_s - time.monotonic())

    def cancel(self) -> bool:
        with self._lock:
            if self._has_ended:
                return False
            self._has_ended = True
            callbacks = tuple(self._callbacks)
        for each in callbacks:
            each()
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        with self._lock:
            if self._has_ended:
                return False
            self._callbacks.append(callback)
            if self._guard is None:
                self._waker, ear = socket.socketpair()
                self._guard = threading.Thread(target=self._look_after, args=(ear,), name="playground-call-guard")
                self._guard.start()
        return True

    def invocation_metadata(self) -> Any:
        return self._metadata

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        self._reply.start(initial_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing = tuple(trailing_metadata)

    def abort(self, code: grpc.StatusCode, details: str) -> Never:
        raise Aborted(code, details)

    def abort_with_status(self, status: grpc.Status) -> Never:
        raise Aborted(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        raise NotImplementedError("the services of the playground abort; they set no code")

    def set_details(self, details: str) -> None:
        raise NotImplementedError("the services of the playground abort; they set no details")

    def peer(self) -> str:
        host, port = self._connection.getpeername()[:2]
        return f"ipv4:{host}:{port}"

    def peer_identities(self) -> Iterable[bytes] | None:
        return None

    def peer_identity_key(self) -> str | None:
        return None

    def auth_context(self) -> Mapping[str, bytes]:
        return {}

    def _look_after(self, ear: socket.socket) -> None:
        with ear:
            watched: tuple[socket.socket, ...] = (ear, self._connection)
            while True:
                remaining_s = None if self._deadline_s is None else self.time_remaining()
                ready = wait_for_input(*watched, timeout_s=remaining_s)
                if ear in ready:
                    return
                if ready and not _has_left(self._connection):
                    # The next request, ahead of this one's answer: it waits its turn.
                    watched = (ear,)
                    continue
                self.cancel()
                return


def carry_out(handler: Handler, body: bytes, call: WebCall, reply: WebReply) -> tuple[grpc.StatusCode, str]:
    """Carry out a call and send its messages; returns its status."""
    try:
        request = frames.decode_request(body)
        if handler.unary_stream is not None:
            with contextlib.closing(cast("Generator[bytes]", handler.unary_stream(request, call))) as messages:
                for message in messages:
                    reply.message(message)
            if call.deadline_passed:
                raise _too_late()
        elif handler.unary_unary is not None:
            answer = handler.unary_unary(request, call)
            if call.deadline_passed:
                raise _too_late()
            reply.message(answer)
    except frames.BadRequestFrame as error:
        return grpc.StatusCode.INTERNAL, str(error)
    except Aborted as aborted:
        return aborted.code, aborted.message
    return grpc.StatusCode.OK, ""


def _too_late() -> Aborted:
    return Aborted(grpc.StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded")


def wait_for_input(*connections: socket.socket, timeout_s: float | None = None) -> frozenset[socket.socket]:
    """Those of the connections that have something to read, or have ended; empty when the time is up."""
    with selectors.DefaultSelector() as selector:
        for each in connections:
            selector.register(each, selectors.EVENT_READ)
        ready = selector.select(timeout_s)
    return frozenset(each for each in connections if any(key.fileobj is each for key, _ in ready))


def _has_left(connection: socket.socket) -> bool:
    """Whether a readable connection means the end: under TLS always, else when nothing can be read."""
    if isinstance(connection, ssl.SSLSocket):
        return True
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
