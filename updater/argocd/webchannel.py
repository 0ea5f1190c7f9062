"""``grpc.Channel`` over gRPC-Web, so that the generated stubs run on it as on a native channel.

Unary and server-streaming calls; gRPC-Web over HTTP/1.1 has no client streaming. A call runs in the thread that waits
for it, ``future`` in a thread of the channel's own small pool.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Self

import grpc

from updater.argocd.failures import CallFailure, FailureKind, GrpcWebError
from updater.argocd.trailers import Metadata
from updater.argocd.webcalls import WebCall, WebRequest, WireOptions
from updater.clock import Clock
from updater.errors import UpdaterError
from updater.transport.http import HttpTransport

Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]

_FUTURE_THREADS = 8


class GrpcWebChannel(grpc.Channel):
    """Thread-safe; the connections are the transport's, which ``close`` closes with the channel.

    ``repeatable_methods`` are the paths whose calls may be sent a second time on a fresh connection when a kept-alive
    one turns out to be dead: reads only.
    """

    def __init__(
        self,
        transport: HttpTransport,
        clock: Clock,
        options: WireOptions,
        repeatable_methods: frozenset[str] = frozenset(),
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._options = options
        self._repeatable = repeatable_methods
        self._lock = threading.Lock()
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._subscribers: list[Callable[[grpc.ChannelConnectivity], None]] = []
        self._closed = False

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryUnary:
        return UnaryUnary(self, method, request_serializer, response_deserializer)

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> UnaryStream:
        return UnaryStream(self, method, request_serializer, response_deserializer)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        return _refuse_client_streaming(method)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        return _refuse_client_streaming(method)

    def subscribe(
        self,
        callback: Callable[[grpc.ChannelConnectivity], None],
        try_to_connect: bool | None = False,
    ) -> None:
        """Told IDLE at once and SHUTDOWN at the end: requests over HTTP have no connectivity of their own."""
        del try_to_connect
        with self._lock:
            self._subscribers.append(callback)
        callback(grpc.ChannelConnectivity.IDLE)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        with self._lock:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

    def close(self) -> None:
        """Cancel what runs and close the connections. Idempotent."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            subscribers, self._subscribers = self._subscribers, []
        self._transport.close()
        if pool is not None:
            pool.shutdown(wait=True)
        for callback in subscribers:
            callback(grpc.ChannelConnectivity.SHUTDOWN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def start(self, method: str, message: bytes, timeout: float | None, metadata: Metadata | None) -> WebCall:
        """A call that is ready to be read."""
        request = WebRequest(method, message, timeout, tuple(metadata or ()), method in self._repeatable)
        return WebCall(self._transport, self._clock, self._options, request)

    def submit(self, work: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        """Run ``work`` in a thread of the channel."""
        with self._lock:
            if self._closed:
                raise GrpcWebError(CallFailure(grpc.StatusCode.CANCELLED, "the channel is closed"))
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(_FUTURE_THREADS, "grpc-web-future")
            return self._pool.submit(work)


class _Method:
    """What both kinds of call share: serialising, and refusing options that gRPC-Web cannot honour."""

    def __init__(
        self,
        channel: GrpcWebChannel,
        method: str,
        serializer: Serializer | None,
        deserializer: Deserializer | None,
    ) -> None:
        self._channel = channel
        self._method = method
        self._serialize: Serializer = serializer or bytes
        self._deserializer: Deserializer = deserializer or bytes

    def deserialize(self, call: WebCall, message: bytes) -> Any:
        """The answer; bytes that are no such message end the call as they do on a native channel."""
        try:
            return self._deserializer(message)
        except Exception as error:
            text = f"{self._method}: the answer cannot be decoded ({type(error).__name__})"
            raise call.failed(CallFailure(grpc.StatusCode.INTERNAL, text, FailureKind.FRAMING)) from error

    def answer(self, call: WebCall) -> Any:
        """The one answer of a unary call."""
        return self.deserialize(call, call.unary())

    def _start(
        self,
        request: Any,
        timeout: float | None,
        metadata: Metadata | None,
        credentials: grpc.CallCredentials | None,
        compression: grpc.Compression | None,
    ) -> WebCall:
        if credentials is not None:
            raise UpdaterError("call credentials do not exist on gRPC-Web; send the token as metadata")
        if compression not in (None, grpc.Compression.NoCompression):
            raise UpdaterError("argocd-server takes no compressed requests on gRPC-Web")
        return self._channel.start(self._method, self._serialize(request), timeout, metadata)


class UnaryUnary(_Method, grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # subscripting fails at run time
    """One request, one answer. ``wait_for_ready`` changes nothing: every call makes its own connection if needed."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        del wait_for_ready
        return self.answer(self._start(request, timeout, metadata, credentials, compression))

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> tuple[Any, grpc.Call]:
        del wait_for_ready
        call = self._start(request, timeout, metadata, credentials, compression)
        return self.answer(call), EndedCall(call)

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        del wait_for_ready
        call = self._start(request, timeout, metadata, credentials, compression)
        return CallFuture(call, self._channel.submit(lambda: self.answer(call)))


class UnaryStream(_Method, grpc.UnaryStreamMultiCallable):  # type: ignore[type-arg]  # as above
    """One request, a stream of answers. The request goes out when the first answer is asked for."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        del wait_for_ready
        return MessageStream(self._start(request, timeout, metadata, credentials, compression), self.deserialize)


class EndedCall(grpc.Call):
    """The view that gRPC gives of a call: here over a ``WebCall``, running or ended."""

    def __init__(self, call: WebCall) -> None:
        self._call = call

    def code(self) -> grpc.StatusCode:
        return self._call.status.code if self._call.status else grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._call.status.message if self._call.status else ""

    def initial_metadata(self) -> Metadata:
        return self._call.initial_metadata

    def trailing_metadata(self) -> Metadata:
        return self._call.status.metadata if self._call.status else ()

    def is_active(self) -> bool:
        return self._call.status is None

    def time_remaining(self) -> float:
        """Seconds left; infinite for a call without a deadline."""
        return self._call.deadline.remaining_s() if self._call.deadline is not None else float("inf")

    def cancel(self) -> bool:
        return self._call.cancel()

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Always False: ends of calls are not announced, as gRPC lets an ended call answer."""
        del callback
        return False


class MessageStream(EndedCall, Iterator[Any]):
    """The answers of a server-streaming call. Read by one thread; ``cancel`` from any.

    A stream that has failed fails again with every further ``next``: its end must not look like a good one.
    """

    def __init__(self, call: WebCall, deserialize: Callable[[WebCall, bytes], Any]) -> None:
        super().__init__(call)
        self._messages = call.messages()
        self._deserialize = deserialize
        self._error: GrpcWebError | None = None

    def __iter__(self) -> MessageStream:
        return self

    def __next__(self) -> Any:
        if self._error is not None:
            raise self._error
        try:
            return self._deserialize(self._call, next(self._messages))
        except GrpcWebError as error:
            self._error = error
            self._messages.close()
            raise

    def __del__(self) -> None:
        # As with gRPC's own streams, one that nobody holds any more does not keep its connection.
        self._messages.close()


class CallFuture(EndedCall, grpc.Future):  # type: ignore[type-arg]  # as above
    """A unary call that runs in a thread of the channel.

    As with gRPC's own futures, ``result`` and ``exception`` of a call that was cancelled here raise
    ``grpc.FutureCancelledError``.
    """

    def __init__(self, call: WebCall, future: concurrent.futures.Future[Any]) -> None:
        super().__init__(call)
        self._future = future

    def cancel(self) -> bool:
        is_ended = self._call.cancel()
        # A call that still waits for a thread never gets one.
        self._future.cancel()
        return is_ended

    def cancelled(self) -> bool:
        return self.code() is grpc.StatusCode.CANCELLED

    def running(self) -> bool:
        return not self._future.done()

    def done(self) -> bool:
        return self._future.done()

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._future.result(timeout)
        except concurrent.futures.CancelledError as error:
            raise grpc.FutureCancelledError from error
        except GrpcWebError as error:
            if self._call.is_cancelled:
                raise grpc.FutureCancelledError from error
            raise
        except concurrent.futures.TimeoutError as error:
            if self._future.done():
                raise
            raise grpc.FutureTimeoutError from error

    def exception(self, timeout: float | None = None) -> Exception | None:
        try:
            self.result(timeout)
        except GrpcWebError as error:
            return error
        return None

    def traceback(self, timeout: float | None = None) -> Any:
        error = self.exception(timeout)
        return error.__traceback__ if error is not None else None

    def add_done_callback(self, fn: Callable[[grpc.Future[Any]], None]) -> None:
        self._future.add_done_callback(lambda _: fn(self))


def _refuse_client_streaming(method: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        raise GrpcWebError(CallFailure(grpc.StatusCode.UNIMPLEMENTED, f"{method}: gRPC-Web has no client streaming"))

    return refuse
