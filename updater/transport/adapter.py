"""requests' adapter with our trust store, our connections, our proxies, and answers without cookies.

It is used without a ``requests.Session``, because all that a session adds is unwanted here: cookies, redirects (which
would carry the token elsewhere), netrc, and proxies looked up per call (``registries.md`` 3.11).
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from cachetools import LRUCache
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidProxyURL
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from updater.transport.exchange import HttpExchange
from updater.transport.interim import FinalResponse
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import LiveContext, TlsOptions

_SOCKET_OPTIONS = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
"""TCP keepalive too: a half-open connection under an idle stream would otherwise never be noticed."""


_MAX_DESTINATIONS = 64


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where requests of one origin go. A proxy URL may hold credentials: never shown."""

    scheme: str | None
    host: str | None
    port: int | None
    proxy: str = field(repr=False)


class CurrentExchange(threading.local):
    """The exchange that the calling thread is sending, so that a connection can be attached to it."""

    exchange: HttpExchange | None = None


class ExchangeAdapter(HTTPAdapter):
    """Sends prepared requests over connections that the exchange of the calling thread can interrupt."""

    def __init__(self, tls: TlsOptions, proxies: ProxyOptions, pool_size: int) -> None:
        self.current = CurrentExchange()
        self._proxies = proxies
        # What was trusted under files of before is not kept.
        self._context = LiveContext(tls, self.close)
        self._destinations: LRUCache[str, _Destination] = LRUCache(_MAX_DESTINATIONS)
        self._destinations_lock = threading.Lock()
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def answer(
        self, request: requests.PreparedRequest, timeout: tuple[float, float | None]
    ) -> urllib3.BaseHTTPResponse:
        """Send, and wait for the head of the answer; raises what requests and urllib3 raise."""
        sent: Any = self.send(request, timeout=timeout, stream=True)
        raw: urllib3.BaseHTTPResponse = sent
        return raw

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self.current)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _pool_classes(self.current)
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool of the request's origin; the parent finds out afresh for each request what never changes."""
        del verify, proxies, cert
        to = self._destination(request.url or "")
        manager = self.proxy_manager_for(to.proxy) if to.proxy else self.poolmanager
        context = {"ssl_context": self._context.current()} if to.scheme == "https" else {}
        return manager.connection_from_host(to.host, to.port, to.scheme, pool_kwargs=context)

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        del proxies
        to = self._destination(request.url or "")
        return super().request_url(request, {"all": to.proxy}) if to.proxy else request.path_url

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context has decided already."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> Any:
        """The answer as it is: an exchange reads it itself, and no cookies are kept, which would mix tenants."""
        del req
        return resp

    def close(self) -> None:
        """Close the connections that nobody uses, and keep none that comes back later.

        The parent only forgets its pools; their sockets would stay open until the garbage collector finds them.
        """
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            pools = [manager.pools.get(key) for key in manager.pools.keys()]  # noqa: SIM118 - iterating is refused
            manager.clear()
            for pool in pools:
                if pool is not None:
                    pool.close()

    def _destination(self, url: str) -> _Destination:
        scheme, _, rest = url.partition("://")
        origin = f"{scheme}://{rest.partition('/')[0]}"
        with self._destinations_lock:
            known = self._destinations.get(origin)
            if known is None:
                parts, proxy = urllib3.util.parse_url(origin), self._proxies.proxy_for(origin)
                if proxy:
                    _check_proxy(proxy)
                known = _Destination(parts.scheme, parts.host, parts.port, proxy)
                self._destinations[origin] = known
            return known


def _check_proxy(proxy: str) -> None:
    """Raise ``InvalidProxyURL``, whose text shows no credentials. What libraries that happen to be there could add is
    refused in the same way everywhere: their connections cannot be interrupted.
    """
    parts = urllib3.util.parse_url(proxy)
    if parts.scheme not in ("http", "https"):
        raise InvalidProxyURL(f"a proxy of the kind {parts.scheme} cannot be used, only http and https")
    if not parts.host:
        raise InvalidProxyURL("the URL of the proxy names no host")


class _Carrier:
    """What both kinds of connection add: from the first packet on, an exchange can shut down the socket it uses."""

    sock: Any
    _exchange: HttpExchange | None = None
    _spare: socket.socket | None = None

    def carry(self, exchange: HttpExchange | None) -> None:
        """Serve this exchange from now on; None when the connection goes back to its pool."""
        if self._exchange is not None:
            self._exchange.detach()
        self._exchange = exchange
        if exchange is not None:
            exchange.attach(self.sock)

    def connect(self) -> None:
        if self._exchange is None:
            super().connect()  # type: ignore[misc]  # the connection class beside this one has it
            return
        self._exchange.check()
        try:
            super().connect()  # type: ignore[misc]
            self._exchange.connected(self.sock)
        finally:
            self._drop_spare(self._exchange)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._exchange is not None:
            self._exchange.check()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if self._exchange is not None:
            # The TLS handshake moves the descriptor into an object that we see only afterwards; until then a
            # duplicate stands for the connection.
            self._spare = sock.dup()
            self._exchange.carried_by(self._spare)
        return sock

    def _drop_spare(self, exchange: HttpExchange) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            exchange.forget(spare)
            spare.close()


def _pool_classes(current: CurrentExchange) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections tell the exchange of the calling thread when they carry it and when no longer."""

    class Plain(_Carrier, HTTPConnection):
        default_socket_options = _SOCKET_OPTIONS
        response_class = FinalResponse

    class Tls(_Carrier, HTTPSConnection):
        default_socket_options = _SOCKET_OPTIONS
        response_class = FinalResponse

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

        def _get_conn(self, timeout: float | None = None) -> Any:
            return _lent(super()._get_conn(timeout), current)

        def _put_conn(self, conn: Any) -> None:
            _returned(conn)
            super()._put_conn(conn)

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

        def _get_conn(self, timeout: float | None = None) -> Any:
            return _lent(super()._get_conn(timeout), current)

        def _put_conn(self, conn: Any) -> None:
            _returned(conn)
            super()._put_conn(conn)

        def _validate_conn(self, conn: Any) -> None:
            # Connects as the parent does, without its warning per call: who asked for an unverified connection was
            # told once, where the option was read.
            if conn.is_closed:
                conn.connect()

    return {"http": PlainPool, "https": TlsPool}


def _lent(connection: Any, current: CurrentExchange) -> Any:
    connection.carry(current.exchange)
    return connection


def _returned(connection: Any) -> None:
    if connection is not None:
        connection.carry(None)
