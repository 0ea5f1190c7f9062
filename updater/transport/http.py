"""HTTP/1.1 over requests and urllib3, with what they leave out: total deadlines, size caps, cancellation."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

from updater.clock import Clock, Deadline
from updater.transport.adapter import ExchangeAdapter
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.exchange import HttpExchange
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions
from updater.transport.watchdog import Watchdog, WatchdogClosed

__all__ = ["HttpExchange", "HttpOptions", "HttpRequest", "HttpTransport", "ProxyOptions", "TlsOptions", "Watchdog"]


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How connections are made. ``pool_size`` bounds the connections that one transport holds at a time."""

    tls: TlsOptions = field(default_factory=TlsOptions)
    proxies: ProxyOptions = field(default_factory=ProxyOptions)
    pool_size: int = 16
    connect_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header values and bodies may hold credentials and stay out of the repr.

    ``idle_timeout_s`` bounds the wait between two bytes where no deadline does. ``is_repeatable`` allows one repeat
    on a fresh connection when a kept-alive one turns out to be dead before any byte of an answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    idle_timeout_s: float | None = None
    is_repeatable: bool = True


class HttpTransport:
    """Connections under one set of TLS inputs. Thread-safe; keeps connections alive; closed once by its owner.

    ``watchdog`` may be shared by several transports of one owner; without one the transport makes its own.
    """

    def __init__(self, options: HttpOptions, clock: Clock, watchdog: Watchdog | None = None) -> None:
        self._options = options
        self._clock = clock
        self._owns_watchdog = watchdog is None
        self._watchdog = watchdog or Watchdog()
        self._slots = threading.BoundedSemaphore(options.pool_size)
        self._lock = threading.Lock()
        self._running: set[HttpExchange] = set()
        self._closed = False
        self._adapter = ExchangeAdapter(options.tls, options.proxies, options.pool_size)

    def open(self, request: HttpRequest, deadline: Deadline | None) -> HttpExchange:
        """``begin`` and ``send`` in one: for callers that need no handle to cancel with while the answer is awaited."""
        exchange = self.begin(deadline)
        self.send(exchange, request)
        return exchange

    def begin(self, deadline: Deadline | None) -> HttpExchange:
        """An exchange that may be cancelled from now on; it holds one of the ``pool_size`` slots until it is closed."""
        exchange = self._enter(deadline)
        try:
            exchange.watch(self._watchdog)
        except WatchdogClosed as error:
            exchange.close()
            raise TransportError(TransportFailure.CANCELLED, "the transport is closed") from error
        return exchange

    def send(self, exchange: HttpExchange, request: HttpRequest) -> None:
        """Send the request and wait for the head of the answer; the exchange is closed when that fails.

        Raises ``TransportError``, or ``ConfigurationError`` for TLS files that cannot be used. Redirects are answers
        like any other.
        """
        try:
            exchange.answered(self._send(request, exchange, exchange.deadline))
        except BaseException:
            exchange.close()
            raise

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for exchange in running:
            exchange.cancel()
        self._adapter.close()
        if self._owns_watchdog:
            self._watchdog.close()

    def _enter(self, deadline: Deadline | None) -> HttpExchange:
        if not self._slots.acquire(timeout=deadline.remaining_s() if deadline is not None else None):
            raise TransportError(TransportFailure.TIMEOUT, "no connection became free")
        with self._lock:
            if not self._closed:
                exchange = HttpExchange(deadline, self._leave)
                self._running.add(exchange)
                return exchange
        self._slots.release()
        raise TransportError(TransportFailure.CANCELLED, "the transport is closed")

    def _leave(self, exchange: HttpExchange) -> None:
        with self._lock:
            self._running.discard(exchange)
        self._slots.release()

    def _send(
        self, request: HttpRequest, exchange: HttpExchange, deadline: Deadline | None
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._send_once(request, exchange, deadline)
        except TransportError as error:
            was_stale = error.kind is TransportFailure.RESET and exchange.used_kept_alive_connection
            if not (was_stale and request.is_repeatable):
                raise
        return self._send_once(request, exchange, deadline)

    def _send_once(
        self, request: HttpRequest, exchange: HttpExchange, deadline: Deadline | None
    ) -> urllib3.BaseHTTPResponse:
        self._adapter.current.exchange = exchange
        try:
            return self._adapter.answer(_prepared(request), self._timeout(request, deadline))
        except TransportError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            raise exchange.failure(error, before_answer=True) from error
        finally:
            self._adapter.current.exchange = None

    def _timeout(self, request: HttpRequest, deadline: Deadline | None) -> tuple[float, float | None]:
        """Connect and read timeout: the latter counts between two bytes, the watchdog keeps the total."""
        connect = self._options.connect_timeout_s
        if deadline is None:
            return connect, request.idle_timeout_s
        remaining = max(0.001, deadline.remaining_s())
        return min(connect, remaining), remaining


def _prepared(request: HttpRequest) -> requests.PreparedRequest:
    """A prepared request without requests' own preparation: our URLs and headers are canonical already."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    # Names are written in one way only, so a mapping that folds their case would be built for nothing.
    headers: Any = {"Accept-Encoding": "identity", **request.headers}
    prepared.headers = headers
    prepared.body = request.body or None
    if request.body or request.method == "POST":
        prepared.headers["Content-Length"] = str(len(request.body))
    return prepared
