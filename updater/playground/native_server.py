"""The API server over native gRPC, on grpcio's own server (``argocd-api.md`` 4)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc

from updater.playground.routes import Routes
from updater.playground.world import World

# Every open Watch holds one thread of the pool.
_THREADS = 32


class NativeServer:
    """A running server; ``close()`` or the end of a ``with`` block stops it.

    Plaintext (h2c with prior knowledge) unless ``credentials`` are given, for which grpcio selects ALPN ``h2``.
    ``port`` 0 lets the system choose; one that is taken raises ``RuntimeError``.
    """

    def __init__(
        self,
        world: World,
        *,
        credentials: grpc.ServerCredentials | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = world
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="playground-grpc")
        options = (
            # The routes know the limit; grpcio's own would be 4 MiB.
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        )
        self._server = grpc.server(self._pool, handlers=[_Everything(Routes(world, "grpc"))], options=options)
        bound = f"{host}:{port}"
        chosen = (
            self._server.add_insecure_port(bound)
            if credentials is None
            else self._server.add_secure_port(bound, credentials)
        )
        self.address = f"{host}:{chosen}"
        self._server.start()

    def retire(self, grace_s: float) -> None:
        """Accept nothing more; what is open may go on for so long. Returns when the port is free."""
        self._server.stop(grace=grace_s)

    def close(self) -> None:
        """Stop accepting, cancel what is open, wait for every thread."""
        self._server.stop(grace=None).wait()
        self._pool.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Everything(grpc.GenericRpcHandler):
    """Hands every path to the routes, the unknown ones too."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        return self._routes.find(handler_call_details.method)
