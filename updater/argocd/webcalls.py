"""One gRPC-Web call: sent, its answer's shape told apart, its status (``argocd-api.md`` 3.4)."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Generator, Iterator

import grpc

from updater.argocd.failures import CallFailure, FailureKind, GrpcWebError, transport_failure
from updater.argocd.frames import FrameError, encode_message, read_frames
from updater.argocd.intermediaries import ForeignAnswer, foreign_content, foreign_status
from updater.argocd.trailers import CallStatus, Metadata, decode_value, parse_trailers, status_of
from updater.argocd.webrequests import CONTENT_TYPE, WebRequest, WireOptions, request_headers, secret_values
from updater.clock import Clock, Deadline
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.http import HttpExchange, HttpRequest, HttpTransport
from updater.transport.redaction import cap_text, redact

__all__ = ["CONTENT_TYPE", "WebCall", "WebRequest", "WireOptions"]

MAX_STATUS_TEXT = 500
_EXPLANATION_BYTES = 4096


_CANCELLED = CallFailure(grpc.StatusCode.CANCELLED, "the call was cancelled", FailureKind.TRANSPORT)


class WebCall:
    """One call, driven by the thread that reads its messages; ``cancel`` may come from any other.

    Nothing is sent before the first message is asked for.
    """

    def __init__(self, transport: HttpTransport, clock: Clock, options: WireOptions, request: WebRequest) -> None:
        self._transport = transport
        self._clock = clock
        self._options = options
        self._request = request
        self.deadline = Deadline.after(clock, request.timeout_s) if request.timeout_s is not None else None
        self._lock = threading.Lock()
        self._exchange: HttpExchange | None = None
        self._cancelled = False
        self._has_begun = False
        self._secrets = secret_values(options, request)
        self.initial_metadata: Metadata = ()
        self.status: CallStatus | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether ``cancel`` ended the call, and not its peer."""
        return self._cancelled

    def messages(self) -> Generator[bytes]:
        """The payloads of the data frames; ends after a trailers frame with status OK, else ``GrpcWebError``."""
        try:
            with self._begin() as exchange:
                self._transport.send(exchange, self._http_request())
                self.initial_metadata = _metadata(exchange)
                yield from self._answer(exchange)
        except TransportError as error:
            raise self.failed(transport_failure(error, is_tls=self._options.address.is_tls)) from error
        except FrameError as error:
            raise self.failed(_framing_failure(error)) from error
        except GeneratorExit:
            self.failed(_CANCELLED)
            raise

    def unary(self) -> bytes:
        """The one message of a unary call; none or several are a protocol error."""
        with contextlib.closing(self.messages()) as stream:
            # Never a third: what answers may send them without end.
            messages = list(itertools.islice(stream, 2))
            if len(messages) == 1:
                return messages[0]
            found = "more messages than one" if messages else "status OK without a message"
            hint = "a proxy changed the body, or the server is broken"
            raise self.failed(CallFailure(grpc.StatusCode.INTERNAL, found, FailureKind.FRAMING, hint))

    def cancel(self) -> bool:
        """End the call; False when it had ended before."""
        with self._lock:
            if self.status is not None or self._cancelled:
                return False
            self._cancelled = True
            exchange = self._exchange
            if not self._has_begun:
                self.status = CallStatus(_CANCELLED.code, _CANCELLED.what)
        if exchange is not None:
            exchange.cancel()
        return True

    def failed(self, failure: CallFailure) -> GrpcWebError:
        """The error to raise for a failure; the call has ended with it, unless it had failed before."""
        with self._lock:
            if self.status is None or self.status.code is grpc.StatusCode.OK:
                self.status = CallStatus(failure.code, failure.what, failure.metadata)
        return GrpcWebError(failure, self.initial_metadata)

    def _begin(self) -> HttpExchange:
        with self._lock:
            self._has_begun = True
            cancelled = self._cancelled
        if cancelled:
            raise self.failed(_CANCELLED)
        exchange = self._transport.begin(self.deadline)
        with self._lock:
            self._exchange = exchange
            cancelled = self._cancelled
        if cancelled:
            exchange.cancel()
        return exchange

    def _http_request(self) -> HttpRequest:
        return HttpRequest(
            method="POST",
            url=f"{self._options.address.base_url}{self._request.path}",
            headers=request_headers(self._options, self._request),
            body=encode_message(self._request.message),
            idle_timeout_s=self._options.stream_idle_timeout_s,
            is_repeatable=self._request.is_repeatable,
        )

    def _answer(self, exchange: HttpExchange) -> Iterator[bytes]:
        if "grpc-status" in exchange.headers:
            self._end(exchange, status_of((name.lower(), value) for name, value in exchange.headers.items()))
            return
        foreign = self._foreign(exchange)
        if foreign is not None:
            raise self.failed(
                CallFailure(
                    foreign.code,
                    redact(foreign.what, self._secrets),
                    FailureKind.FOREIGN,
                    foreign.hint,
                    retry_after_s=foreign.retry_after_s,
                    is_transient=foreign.is_transient,
                )
            )
        yield from self._frames(exchange)

    def _foreign(self, exchange: HttpExchange) -> ForeignAnswer | None:
        if exchange.status != 200:
            return foreign_status(exchange.status, exchange.headers, self._explanation(exchange), self._clock)
        if foreign_content(exchange.headers, "") is None:
            return None
        return foreign_content(exchange.headers, self._explanation(exchange))

    def _explanation(self, exchange: HttpExchange) -> str:
        """What a page says, without the values of our own headers: some proxies show them on their error pages."""
        return redact(exchange.read_start(_EXPLANATION_BYTES).decode("utf-8", "replace"), self._secrets)

    def _frames(self, exchange: HttpExchange) -> Iterator[bytes]:
        seen = 0
        for frame in read_frames(exchange.chunks(), cap_bytes=self._options.max_message_bytes):
            if frame.is_trailers:
                self._end(exchange, parse_trailers(frame.payload))
                return
            seen += 1
            yield frame.payload
        what = f"the answer ends without trailers after {seen} messages" if seen else "the answer is empty"
        raise FrameError(what, is_truncated=True)

    def _end(self, exchange: HttpExchange, status: CallStatus) -> None:
        with self._lock:
            self.status = status
        exchange.drain()
        if status.code is not grpc.StatusCode.OK:
            text = cap_text(redact(status.message, self._secrets), MAX_STATUS_TEXT) or "no message"
            raise self.failed(CallFailure(status.code, text, metadata=status.metadata))


def _framing_failure(error: FrameError) -> CallFailure:
    if error.is_too_large:
        hint = "raise --argocd-max-message-size, or split the fleet with --argocd-projects"
        return CallFailure(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"larger than max: {error}",
            FailureKind.FRAMING,
            hint,
            transport=TransportFailure.TOO_LARGE,
        )
    if error.is_truncated:
        hint = "the connection was cut, or a proxy strips gRPC-Web trailers or the body: look at what stands between"
        return CallFailure(grpc.StatusCode.UNAVAILABLE, str(error), FailureKind.TRUNCATED, hint)
    hint = "something between us and argocd-server changes the body"
    return CallFailure(grpc.StatusCode.INTERNAL, str(error), FailureKind.FRAMING, hint)


def _metadata(exchange: HttpExchange) -> Metadata:
    return tuple((name.lower(), decode_value(name.lower(), value)) for name, value in exchange.headers.items())
