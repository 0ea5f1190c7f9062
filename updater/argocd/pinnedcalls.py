"""Calls over whichever native channel is good at the moment (``updater.argocd.pins``).

A call that was never sent, because what the channel trusts is not what the server shows any more, is made a second
time on the channel that follows; the server knows nothing of the first. Every other failure is the caller's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from updater.argocd.failures import CallFailure, GrpcWebError
from updater.argocd.pins import PinnedChannel, PinnedChannels, was_never_sent
from updater.argocd.trailers import Metadata
from updater.clock import Clock, Deadline


class PinnedUnary(grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # subscripting fails at run time
    """One request, one answer. Further options of a call are those of the library, by name."""

    def __init__(self, pins: PinnedChannels, clock: Clock, bind: Callable[[grpc.Channel], Any]) -> None:
        self._pins = pins
        self._clock = clock
        self._bind = bind

    def __call__(  # type: ignore[override]  # options pass through as they are
        self, request: Any, timeout: float | None = None, **options: Any
    ) -> Any:
        return self.with_call(request, timeout, **options)[0]

    def with_call(  # type: ignore[override]  # as above
        self, request: Any, timeout: float | None = None, **options: Any
    ) -> tuple[Any, grpc.Call]:
        deadline = None if timeout is None else Deadline.after(self._clock, timeout)
        used = self._pins.take(timeout)
        try:
            return self._call(used, request, deadline, options)
        except grpc.RpcError as error:
            if not was_never_sent(error):
                raise
            self._pins.suspect(used)
            following = self._pins.take(None if deadline is None else deadline.remaining_s())
            if following is used:
                self._pins.give_back(following)
                raise
        return self._call(following, request, deadline, options)

    def future(  # type: ignore[override]  # as above
        self, request: Any, timeout: float | None = None, **options: Any
    ) -> Any:
        """Sent once; what its failure says of the channel helps the next call."""
        used = self._pins.take(timeout)
        try:
            with self._pins.calling():
                future = self._bind(used.channel).future(request, timeout, **options)
        except grpc.RpcError:
            self._pins.give_back(used)
            raise
        future.add_done_callback(lambda ended: self._ended(used, ended))
        return future

    def _call(
        self, used: PinnedChannel, request: Any, deadline: Deadline | None, options: dict[str, Any]
    ) -> tuple[Any, grpc.Call]:
        """Gives the channel back."""
        timeout = None if deadline is None else deadline.remaining_s()
        try:
            with self._pins.calling():
                answered: tuple[Any, grpc.Call] = self._bind(used.channel).with_call(request, timeout, **options)
            return answered
        finally:
            self._pins.give_back(used)

    def _ended(self, used: PinnedChannel, ended: Any) -> None:
        if was_never_sent(ended):
            self._pins.suspect(used)
        self._pins.give_back(used)


class PinnedStreaming(grpc.UnaryStreamMultiCallable):  # type: ignore[type-arg]  # as above
    """One request, a stream of answers. The request goes out when the first answer is asked for."""

    def __init__(self, pins: PinnedChannels, bind: Callable[[grpc.Channel], Any]) -> None:
        self._pins = pins
        self._bind = bind

    def __call__(  # type: ignore[override]  # options pass through as they are
        self, request: Any, timeout: float | None = None, **options: Any
    ) -> PinnedStream:
        def begin(used: PinnedChannel) -> Any:
            return self._bind(used.channel)(request, timeout, **options)

        return PinnedStream(self._pins, begin, timeout)


class PinnedStream(grpc.Call, Iterator[Any]):
    """The answers of one call. Read by one thread; ``cancel`` from any.

    A stream that has failed fails again with every further ``next``: its end must not look like a good one.
    """

    def __init__(self, pins: PinnedChannels, begin: Callable[[PinnedChannel], Any], timeout: float | None) -> None:
        self._pins = pins
        self._begin = begin
        self._timeout = timeout
        self._lock = threading.Lock()
        # Below: of the lock.
        self._call: Any = None
        self._is_cancelled = False
        # Below: of the reading thread.
        self._used: PinnedChannel | None = None
        self._has_begun_again = False
        self._error: grpc.RpcError | None = None

    def __iter__(self) -> PinnedStream:
        return self

    def __next__(self) -> Any:
        if self._error is not None:
            raise self._error
        try:
            with self._pins.calling():
                return next(self._opened())
        except StopIteration:
            self._release()
            raise
        except grpc.RpcError as error:
            if not self._begins_again(error):
                self._error = error
                self._release()
                raise
        return next(self)

    def cancel(self) -> bool:
        with self._lock:
            is_first, self._is_cancelled = not self._is_cancelled, True
            call = self._call
        return bool(call.cancel()) if call is not None else is_first

    def code(self) -> grpc.StatusCode:
        ended = self._ended()
        return ended.code() if ended is not None else grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        ended = self._ended()
        return str(ended.details()) if ended is not None else ""

    def initial_metadata(self) -> Metadata:
        ended = self._ended()
        return ended.initial_metadata() if ended is not None else ()

    def trailing_metadata(self) -> Metadata:
        ended = self._ended()
        return ended.trailing_metadata() if ended is not None else ()

    def is_active(self) -> bool:
        call = self._call
        return self._error is None and (not self._is_cancelled if call is None else bool(call.is_active()))

    def time_remaining(self) -> float:
        """Seconds left; infinite for a call without a deadline."""
        call = self._call
        left = self._timeout if call is None else call.time_remaining()
        return float("inf") if left is None else float(left)

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """False before the call has begun, as gRPC lets an ended call answer."""
        call = self._call
        return call is not None and bool(call.add_callback(callback))

    def _ended(self) -> Any:
        """Whoever knows how the call ended; None before it has begun."""
        return self._error if self._call is None else self._call

    def _opened(self) -> Any:
        if self._call is None:
            used = self._pins.take(self._timeout)
            with self._lock:
                self._used = used
                if self._is_cancelled:
                    raise GrpcWebError(CallFailure(grpc.StatusCode.CANCELLED, "the call was cancelled"))
                self._call = self._begin(used)
        return self._call

    def _begins_again(self, error: grpc.RpcError) -> bool:
        """Once, when the server has heard nothing of the call; on what may be another channel then."""
        if self._used is None or not was_never_sent(error):
            return False
        self._pins.suspect(self._used)
        self._release()
        with self._lock:
            may_begin = not (self._has_begun_again or self._is_cancelled)
            if may_begin:
                self._has_begun_again, self._call = True, None
        return may_begin

    def _release(self) -> None:
        used, self._used = self._used, None
        if used is not None:
            self._pins.give_back(used)

    def __del__(self) -> None:
        # As with gRPC's own streams, one that nobody holds any more does not keep its connection.
        if self._used is not None:
            self.cancel()
            self._release()
