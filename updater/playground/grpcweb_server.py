"""The API server over gRPC-Web on HTTP/1.1, as argocd-server serves it (``argocd-api.md`` 3).

One thread accepts, one serves each connection, and a call that waits has one that guards it; ``close()`` ends them
all and waits for them. Written on ``http.server``, so that it shares nothing with the updater's own channel.
"""

from __future__ import annotations

import ssl
import threading
from types import TracebackType
from typing import Self

from updater.playground.call_log import HttpRequest
from updater.playground.faults import Faults
from updater.playground.routes import Routes
from updater.playground.web_connection import Listener
from updater.playground.world import World

# How long the accepting thread takes at most to notice that the server closes.
_POLL_S = 0.02


class GrpcWebServer:
    """A running server; ``close()`` or the end of a ``with`` block stops it.

    ``tls`` is a ready server-side context. ``root_path`` is what ``--rootpath`` would be. ``port`` 0 is any free one.
    """

    def __init__(
        self,
        world: World,
        *,
        tls: ssl.SSLContext | None = None,
        root_path: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = world
        self.faults = Faults()
        self._scheme = "http" if tls is None else "https"
        self._root = "/" + root_path.strip("/") if root_path.strip("/") else ""
        self._listener = Listener((host, port), Routes(world, "grpc-web"), self.faults, root=self._root, tls=tls)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(_POLL_S,), name="playground-grpc-web"
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """``host:port``."""
        host, port = self._listener.socket.getsockname()[:2]
        return f"{host}:{port}"

    @property
    def url(self) -> str:
        """Scheme, address and root path, without a slash at the end."""
        return f"{self._scheme}://{self.address}{self._root}"

    @property
    def accepted_connections(self) -> int:
        """How many connections there have been so far."""
        return self._listener.accepted

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        """Every HTTP request that was read, also those that no service has seen."""
        return self._listener.requests.snapshot()

    def wait_for_requests(self, count: int, timeout_s: float) -> bool:
        """Wait until at least ``count`` requests were read; False when that did not happen in time."""
        return self._listener.requests.wait_for(lambda _: True, count, timeout_s)

    def cut_connections(self) -> None:
        """Cut every open connection, as a restarting server or a load balancer does to idle ones."""
        self._listener.cut_connections()

    def close(self) -> None:
        """Stop accepting, cut what is open, wait for every thread."""
        self._listener.closing.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.cut_connections()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
