"""One HTTP exchange with a registry or its token service, over connections that are kept per API origin.

One transport per (API origin, TLS inputs), as ``registries.md`` 5.5 asks: a token service shares the transport, and so
the trust, of the registry that named it. Never follows redirects, knows neither authentication nor retries.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache

from updater.clock import Clock, Deadline
from updater.errors import ConfigurationError, RegistryUnreachable
from updater.registry.answers import Answer
from updater.registry.endpoints import Endpoint
from updater.registry.failures import broken_exchange
from updater.transport.errors import TransportError
from updater.transport.http import HttpExchange, HttpOptions, HttpRequest, HttpTransport, TlsOptions, Watchdog

MAX_TRANSPORTS = 500
ERROR_BODY_BYTES = 64 * 1024
USER_AGENT = "argocd-image-updater-python"
"""Our own product token: some gateways refuse the defaults of HTTP libraries (``registries.md`` 3.11)."""

_TransportKey = tuple[str, TlsOptions]


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """One request without a body. URLs may be presigned, ``authorization`` is a whole header value: both are secret.

    ``where`` names the repository or token service in errors; ``etag`` asks for the body only when it has changed.
    ``timeout_s`` bounds this one exchange within the deadline of the caller.
    """

    url: str = field(repr=False)
    where: str
    authorization: str = field(default="", repr=False)
    cap_bytes: int = ERROR_BODY_BYTES
    method: str = "GET"
    accept: str = "application/json"
    etag: str = ""
    timeout_s: float = 60.0

    def headers(self) -> dict[str, str]:
        headers = {"Accept": self.accept, "User-Agent": USER_AGENT}
        if self.authorization:
            headers["Authorization"] = self.authorization
        if self.etag:
            headers["If-None-Match"] = self.etag
        return headers


class RegistryConnections:
    """Transports by origin, made on first use, closed by ``close``. Thread-safe.

    The least recently used transport is closed when there are too many; whatever still runs on it is cancelled.
    """

    def __init__(self, options: HttpOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._watchdog = Watchdog()
        self._lock = threading.Lock()
        self._transports: LRUCache[_TransportKey, HttpTransport] = LRUCache(MAX_TRANSPORTS)
        self._is_closed = False

    def fetch(self, endpoint: Endpoint, request: RegistryRequest, deadline: Deadline) -> Answer:
        """The complete answer, whatever its status; raises ``RegistryError`` when there is none."""
        try:
            transport, limit = self._transport(endpoint), deadline.sooner(request.timeout_s)
            with transport.open(HttpRequest(request.method, request.url, request.headers()), limit) as exchange:
                return _read(exchange, request.cap_bytes)
        except TransportError as error:
            raise broken_exchange(error, request.where) from error
        except ConfigurationError as error:
            raise RegistryUnreachable(str(error), where=request.where, code="registry_tls") from error

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        with self._lock:
            self._is_closed = True
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in transports:
            transport.close()
        self._watchdog.close()

    def _transport(self, endpoint: Endpoint) -> HttpTransport:
        key = (endpoint.api_origin, endpoint.tls)
        evicted = None
        with self._lock:
            if self._is_closed:
                raise RegistryUnreachable("the registry client is closed", where=endpoint.name, code="cancelled")
            transport = self._transports.get(key)
            if transport is None:
                if len(self._transports) >= MAX_TRANSPORTS:
                    _, evicted = self._transports.popitem()
                options = dataclasses.replace(self._options, tls=endpoint.tls)
                transport = HttpTransport(options, self._clock, self._watchdog)
                self._transports[key] = transport
        if evicted is not None:
            evicted.close()
        return transport


def _read(exchange: HttpExchange, cap_bytes: int) -> Answer:
    """An answer of 200 in full, of any other only what explains it."""
    headers: dict[str, tuple[str, ...]] = {}
    lines: Any = exchange.headers
    for name in lines:
        headers[name.lower()] = tuple(lines.getlist(name))
    if exchange.status == 200:
        return Answer(exchange.status, headers, exchange.read(cap_bytes=cap_bytes))
    return Answer(exchange.status, headers, exchange.read_start(ERROR_BODY_BYTES))
