"""How a call over our own channel fails: an ``RpcError`` that also knows why and what to change.

The generated stubs and their callers see gRPC's own interfaces, so that code runs unchanged on a native channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any

import grpc

from updater.argocd.trailers import Metadata
from updater.transport.errors import TransportError, TransportFailure


class FailureKind(Enum):
    """Who said no."""

    STATUS = "the server answered with a status"
    TRANSPORT = "no usable connection"
    FOREIGN = "something else answered"
    FRAMING = "the bytes break the protocol"
    TRUNCATED = "the answer ended before its status"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """Everything about one failed call. ``what`` is safe to show."""

    code: grpc.StatusCode
    what: str
    kind: FailureKind = FailureKind.STATUS
    hint: str = ""
    metadata: Metadata = field(default=(), repr=False)
    retry_after_s: float | None = None
    transport: TransportFailure | None = None
    is_transient: bool = False
    """An intermediary's answer that may be another one next time."""


_CODES = {
    TransportFailure.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    TransportFailure.CANCELLED: grpc.StatusCode.CANCELLED,
    TransportFailure.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
}

_HINTS = {
    TransportFailure.DNS: "check the host name in --argocd-server-addr",
    TransportFailure.CONNECT: "check host and port in --argocd-server-addr, and that the network lets us through",
    TransportFailure.PROXY: "check HTTPS_PROXY and NO_PROXY",
    TransportFailure.INVALID: "check --argocd-server-addr, --argocd-header and --argocd-user-agent",
    TransportFailure.TIMEOUT: "the server or a proxy is slow or does not answer; see --argocd-timeout",
    TransportFailure.TRUNCATED: "the connection was cut, or a proxy drops the rest: look at what stands between",
    TransportFailure.TOO_LARGE: "raise --argocd-max-message-size, or split the fleet with --argocd-projects",
}

_TLS_HINTS = (
    (
        ("wrong version number", "unexpected eof", "http request"),
        "this port seems to speak plain HTTP: add --argocd-plaintext",
    ),
    (
        ("self-signed", "self signed", "unable to get local issuer", "unable to get issuer"),
        "trust its authority with --argocd-server-crt, or, without any protection, --argocd-insecure",
    ),
    (("hostname mismatch", "not valid for", "ip address mismatch"), "use a host name that the certificate holds"),
    (("expired",), "the server's certificate must be renewed"),
    (
        # A server that misses the certificate may hang up before its alert is read.
        ("certificate required", "handshake failure", "bad certificate", "eof occurred in violation"),
        "the server wants a client certificate: --argocd-client-crt",
    ),
)


def transport_failure(error: TransportError, *, is_tls: bool) -> CallFailure:
    """What a failed exchange means for the call; ``is_tls`` says how the server was spoken to."""
    kind = FailureKind.TRUNCATED if error.kind is TransportFailure.TRUNCATED else FailureKind.TRANSPORT
    return CallFailure(
        code=_CODES.get(error.kind, grpc.StatusCode.UNAVAILABLE),
        what=error.text,
        kind=kind,
        hint=_transport_hint(error, is_tls=is_tls),
        transport=error.kind,
    )


def _transport_hint(error: TransportError, *, is_tls: bool) -> str:
    if error.kind in (TransportFailure.RESET, TransportFailure.PROTOCOL):
        if is_tls:
            return "look at the log of argocd-server and of what stands between, and check the port"
        return "if this port speaks TLS, drop --argocd-plaintext; else look at the log of what stands between"
    if error.kind is not TransportFailure.TLS:
        return _HINTS.get(error.kind, "")
    said = error.detail.lower()
    for marks, hint in _TLS_HINTS:
        if any(mark in said for mark in marks):
            return hint
    return "check --argocd-server-crt, and that the port speaks TLS"


class GrpcWebError(grpc.RpcError, grpc.Call, grpc.Future):  # type: ignore[type-arg]  # subscripting fails at run time
    """A failed call: exception, ended call and finished future in one, as callers of generated stubs expect."""

    def __init__(self, failure: CallFailure, initial_metadata: Metadata = ()) -> None:
        super().__init__(failure.what)
        self.failure = failure
        self._initial_metadata = initial_metadata

    def code(self) -> grpc.StatusCode:
        return self.failure.code

    def details(self) -> str:
        return self.failure.what

    def initial_metadata(self) -> Metadata:
        return self._initial_metadata

    def trailing_metadata(self) -> Metadata:  # type: ignore[override]  # the two parents disagree
        return self.failure.metadata

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> float:
        return 0.0

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return self.failure.code is grpc.StatusCode.CANCELLED

    def running(self) -> bool:
        return False

    def done(self) -> bool:
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Always False: the call has ended, and gRPC says that a callback is then not taken."""
        del callback
        return False

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        fn(self)

    def result(self, timeout: float | None = None) -> Any:
        del timeout
        raise self

    def exception(self, timeout: float | None = None) -> Exception:
        del timeout
        return self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        del timeout
        return self.__traceback__
