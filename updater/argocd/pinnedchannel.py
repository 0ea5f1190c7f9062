"""``grpc.Channel`` for native gRPC: over one channel after the other, as what they trust changes.

Which of them a call goes over is the business of ``updater.argocd.pins``; how, of ``updater.argocd.pinnedcalls``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

import grpc

from updater.argocd.failures import CallFailure, GrpcWebError
from updater.argocd.pinnedcalls import PinnedStreaming, PinnedUnary
from updater.argocd.pins import PinnedChannels
from updater.clock import Clock

Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]
Connectivity = Callable[[grpc.ChannelConnectivity], None]


class RenewableChannel(grpc.Channel):
    """Thread-safe; owns its ``PinnedChannels``. Unary and server-streaming calls, which is all that Argo CD has."""

    def __init__(self, pins: PinnedChannels, clock: Clock) -> None:
        self._pins = pins
        self._clock = clock
        self._lock = threading.Lock()
        self._subscribers: list[Connectivity] = []

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> PinnedUnary:
        return PinnedUnary(
            self._pins,
            self._clock,
            lambda channel: channel.unary_unary(method, request_serializer, response_deserializer),
        )

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> PinnedStreaming:
        return PinnedStreaming(
            self._pins, lambda channel: channel.unary_stream(method, request_serializer, response_deserializer)
        )

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        return _refuse_client_streaming(method)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        return _refuse_client_streaming(method)

    def subscribe(
        self,
        callback: Connectivity,
        try_to_connect: bool | None = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        """Told IDLE at once and SHUTDOWN at the end: which channel connects changes under the caller."""
        del try_to_connect
        with self._lock:
            self._subscribers.append(callback)
        callback(grpc.ChannelConnectivity.IDLE)

    def unsubscribe(self, callback: Connectivity) -> None:
        with self._lock:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        self._pins.close()
        with self._lock:
            subscribers, self._subscribers = self._subscribers, []
        for callback in subscribers:
            callback(grpc.ChannelConnectivity.SHUTDOWN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def _refuse_client_streaming(method: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        raise GrpcWebError(CallFailure(grpc.StatusCode.UNIMPLEMENTED, f"{method}: Argo CD has no client streaming"))

    return refuse
