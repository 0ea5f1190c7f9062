"""From a failed call, on either channel, to our error tree (``argocd-api.md`` 3.6, 5.3, 5.5, 7.4, 7.10)."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from updater.argocd.failures import CallFailure, FailureKind, GrpcWebError
from updater.errors import (
    ArgoCDConflict,
    ArgoCDDenied,
    ArgoCDError,
    ArgoCDExhausted,
    ArgoCDForeignAnswer,
    ArgoCDInvalid,
    ArgoCDNotFound,
    ArgoCDProtocolError,
    ArgoCDTimeout,
    ArgoCDUnauthenticated,
    ArgoCDUnavailable,
    ArgoCDUnreachable,
)
from updater.transport.errors import TransportFailure
from updater.transport.redaction import cap_text, redact

_CODE = grpc.StatusCode

_BY_CODE: dict[grpc.StatusCode, type[ArgoCDError]] = {
    _CODE.CANCELLED: ArgoCDTimeout,
    _CODE.UNKNOWN: ArgoCDProtocolError,
    _CODE.INVALID_ARGUMENT: ArgoCDInvalid,
    _CODE.DEADLINE_EXCEEDED: ArgoCDTimeout,
    _CODE.NOT_FOUND: ArgoCDNotFound,
    _CODE.ALREADY_EXISTS: ArgoCDInvalid,
    _CODE.PERMISSION_DENIED: ArgoCDDenied,
    _CODE.RESOURCE_EXHAUSTED: ArgoCDExhausted,
    _CODE.FAILED_PRECONDITION: ArgoCDInvalid,
    _CODE.ABORTED: ArgoCDConflict,
    _CODE.OUT_OF_RANGE: ArgoCDInvalid,
    _CODE.UNIMPLEMENTED: ArgoCDProtocolError,
    _CODE.INTERNAL: ArgoCDProtocolError,
    _CODE.UNAVAILABLE: ArgoCDUnavailable,
    _CODE.DATA_LOSS: ArgoCDProtocolError,
    _CODE.UNAUTHENTICATED: ArgoCDUnauthenticated,
}

_READ_ATTEMPTS = {
    _CODE.UNAVAILABLE: 4,
    _CODE.RESOURCE_EXHAUSTED: 4,
    _CODE.DEADLINE_EXCEEDED: 2,
    _CODE.CANCELLED: 2,
    _CODE.UNKNOWN: 2,
}

_FINAL_TRANSPORT_FAILURES = frozenset(
    {TransportFailure.TLS, TransportFailure.PROTOCOL, TransportFailure.PROXY, TransportFailure.INVALID}
)

_TOKEN_HINTS = (
    ("no session information", "no token arrived: set ARGOCD_TOKEN or --argocd-auth-token-file"),
    ("expired", "the token has expired: make a new one with 'argocd account generate-token'"),
    ("malformed", "this is no Argo CD token: give the text that 'argocd account generate-token' prints, alone"),
    (
        "invalid number of segments",
        "this is no Argo CD token: give the text that 'argocd account generate-token' prints",
    ),
    ("signature", "the token belongs to another Argo CD, or its signing key was renewed: make a new one here"),
    ("not valid yet", "the clocks of this machine and of Argo CD differ, or the token is not valid yet"),
    ("does not have token", "the token was deleted in Argo CD: make a new one"),
    ("does not exist", "the account or the token was deleted in Argo CD: make a new one"),
    ("capability", "give the account the capability apiKey in argocd-cm"),
    ("is disabled", "the account is disabled in Argo CD"),
    ("revoked", "the token was revoked: make a new one"),
)


@dataclass(frozen=True, slots=True)
class CallSite:
    """What was called on what, for the text of an error: ``reading Application argocd/shop`` at a server."""

    doing: str
    server: str

    @property
    def where(self) -> str:
        return f"{self.doing} at {self.server}"


def call_error(error: grpc.RpcError, site: CallSite) -> ArgoCDError:
    """The branch of the tree for a failed call, with where it happened and what to do."""
    failure = failure_of(error)
    if failure.kind is FailureKind.TRANSPORT and failure.code is _CODE.UNAVAILABLE:
        return _unreachable(failure, site)
    if failure.kind is FailureKind.FOREIGN and failure.code is not _CODE.UNAVAILABLE:
        return ArgoCDForeignAnswer(failure.what, where=site.where, hint=failure.hint)
    category = _BY_CODE[failure.code]
    if failure.code is _CODE.INTERNAL and "too many conflicts" in failure.what.lower():
        category = ArgoCDConflict
    return category(
        f"{failure.what} ({failure.code.name})",
        where=site.where,
        hint=failure.hint or _hint(failure),
        code="argocd_too_large" if _is_too_large(failure) else None,
        retryable=False if _is_too_large(failure) else None,
        retry_after_s=failure.retry_after_s,
    )


def read_attempts(error: grpc.RpcError) -> int:
    """How often a call that changes nothing may be sent in all when this is how it failed (3.6, 7.10).

    Refusals are not repeated: the next round asks again, which is the slow retry that a PermissionDenied may need.
    """
    failure = failure_of(error)
    if failure.transport in _FINAL_TRANSPORT_FAILURES or _is_too_large(failure):
        return 1
    if failure.kind is FailureKind.FOREIGN and failure.code is not _CODE.UNAVAILABLE:
        return 2 if failure.is_transient else 1
    if failure.kind is FailureKind.TRANSPORT and failure.code is _CODE.UNAVAILABLE:
        return 3
    return _READ_ATTEMPTS.get(failure.code, 1)


def failure_of(error: grpc.RpcError) -> CallFailure:
    """What happened, whichever channel it happened on."""
    if isinstance(error, GrpcWebError):
        return error.failure
    code = error.code() if hasattr(error, "code") else _CODE.UNKNOWN
    text = cap_text(redact((error.details() if hasattr(error, "details") else "") or "no message"), 500)
    return _native_failure(code, text)


_NATIVE_CONNECT_MARKS = (
    "failed to connect",
    "connection refused",
    "dns",
    "name resolution",
    "errors resolving",
    "lookup failed",
)


def _native_failure(code: grpc.StatusCode, text: str) -> CallFailure:
    """The library of native gRPC tells connection problems by text only."""
    said = text.lower()
    if code is not _CODE.UNAVAILABLE:
        return CallFailure(code, text)
    if "alpn" in said:
        hint = "servers up to Argo CD 2.13 and many proxies do not offer HTTP/2 this way: use --argocd-grpc-web"
        return CallFailure(code, text, FailureKind.TRANSPORT, hint, transport=TransportFailure.TLS)
    if "certificate has expired" in said:
        hint = "the server's certificate must be renewed; with --argocd-insecure, --argocd-grpc-web takes it as it is"
        return CallFailure(code, text, FailureKind.TRANSPORT, hint, transport=TransportFailure.TLS)
    if "certificate" in said or "ssl" in said or "tls" in said or "handshake" in said:
        hint = "check --argocd-server-crt and --argocd-plaintext, or use --argocd-grpc-web"
        return CallFailure(code, text, FailureKind.TRANSPORT, hint, transport=TransportFailure.TLS)
    if any(mark in said for mark in _NATIVE_CONNECT_MARKS):
        hint = "check --argocd-server-addr and --argocd-plaintext; behind a proxy without HTTP/2, use --argocd-grpc-web"
        return CallFailure(code, text, FailureKind.TRANSPORT, hint, transport=TransportFailure.CONNECT)
    return CallFailure(code, text)


def _unreachable(failure: CallFailure, site: CallSite) -> ArgoCDError:
    return ArgoCDUnreachable(
        failure.what,
        where=site.where,
        hint=failure.hint,
        code="bad_argocd_address" if failure.transport is TransportFailure.INVALID else None,
        retryable=failure.transport not in _FINAL_TRANSPORT_FAILURES,
    )


def _is_too_large(failure: CallFailure) -> bool:
    return failure.code is _CODE.RESOURCE_EXHAUSTED and (
        failure.transport is TransportFailure.TOO_LARGE or "larger than max" in failure.what.lower()
    )


def _hint(failure: CallFailure) -> str:
    said = failure.what.lower()
    match failure.code:
        case _CODE.UNAUTHENTICATED:
            return next((hint for mark, hint in _TOKEN_HINTS if mark in said), "check the Argo CD token")
        case _CODE.PERMISSION_DENIED:
            return "grant the account what it needs: 'applications, get' and 'applications, update' on the project"
        case _CODE.DEADLINE_EXCEEDED:
            return "the server or a proxy is slow or does not answer; see --argocd-timeout"
        case _CODE.UNIMPLEMENTED:
            return "the server knows no such method at this path: check the root path, --argocd-grpc-web-root-path"
        case _CODE.RESOURCE_EXHAUSTED if _is_too_large(failure):
            return "raise --argocd-max-message-size, or split the fleet with --argocd-projects"
        case _:
            return ""
