"""The views that gRPC gives of calls, over ours: an ended call, a stream of answers, a future."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from updater.argocd.failures import GrpcWebError
from updater.argocd.trailers import Metadata
from updater.argocd.webcalls import WebCall


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
