"""``grpc.Channel`` over gRPC-Web, so that the generated stubs run on it as on a native channel.

Unary and server-streaming calls; gRPC-Web over HTTP/1.1 has no client streaming. A call runs in the thread that waits
for it, ``future`` in a thread of the channel's own small pool.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

import grpc

from updater.argocd.callviews import CallFuture, EndedCall, MessageStream
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


def _refuse_client_streaming(method: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        raise GrpcWebError(CallFailure(grpc.StatusCode.UNIMPLEMENTED, f"{method}: gRPC-Web has no client streaming"))

    return refuse
