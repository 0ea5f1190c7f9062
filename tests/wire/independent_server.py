"""A gRPC-Web server that shares no code with this project: connectrpc's, on a small threaded WSGI server.

For tests of the updater's channel. It serves VersionService/Version, ApplicationService/List and a Watch that ends.
It answers over HTTP/1.0, without chunks, the body ending with the connection: legal, and unlike the playground.

Names that make it answer otherwise: a query for ``missing`` is NotFound; a Watch for ``broken`` fails after its
first event, so that the status comes in the trailers frame of the body.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from connectrpc.code import Code
from connectrpc.compat import google_protobuf_codecs
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectWSGIApplication, EndpointSync
from google.protobuf.empty_pb2 import Empty

from generated.application_messages_pb2 import Application, ApplicationList, ApplicationQuery, ApplicationWatchEvent
from generated.version_messages_pb2 import VersionMessage

NAMES = ("alpha", "beta", "gamma")


def method_info(path: str, input_: type, output: type, *, is_stream: bool = False) -> MethodInfo[Any, Any]:
    """How connectrpc knows a method; also for its client."""
    service, _, name = path.removeprefix("/").rpartition("/")
    return MethodInfo(
        name=name,
        service_name=service,
        input=input_,
        output=output,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM if is_stream else StreamType.UNARY,
    )


VERSION = method_info("/version.VersionService/Version", Empty, VersionMessage)
LIST = method_info("/application.ApplicationService/List", ApplicationQuery, ApplicationList)
WATCH = method_info("/application.ApplicationService/Watch", ApplicationQuery, ApplicationWatchEvent, is_stream=True)


@contextmanager
def independent_server() -> Iterator[str]:
    """The ``host:port`` of a running server."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.set_app(_Services())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="independent-server")
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _version(request: Empty, context: RequestContext[Any, Any]) -> VersionMessage:
    return VersionMessage(Version="v3.5.1", BuildDate=context.request_headers.get("token", ""))


def _list(request: ApplicationQuery, context: RequestContext[Any, Any]) -> ApplicationList:
    if request.name == "missing":
        raise ConnectError(Code.NOT_FOUND, 'applications.argoproj.io "missing" not found: 100% gone, café')
    return ApplicationList(items=[_application(name) for name in NAMES if request.name in ("", name)])


def _watch(request: ApplicationQuery, context: RequestContext[Any, Any]) -> Iterator[ApplicationWatchEvent]:
    for name in NAMES:
        yield ApplicationWatchEvent(type="ADDED", application=_application(name))
        if request.name == "broken":
            raise ConnectError(Code.UNAVAILABLE, "the informer stopped")


def _application(name: str) -> Application:
    message = Application()
    message.metadata.name = name
    message.metadata.namespace = "argocd"
    return message


class _Services(ConnectWSGIApplication):
    """The three methods, by path."""

    def __init__(self) -> None:
        endpoints: Mapping[str, Any] = {
            _path(VERSION): EndpointSync.unary(method=VERSION, function=_version),
            _path(LIST): EndpointSync.unary(method=LIST, function=_list),
            _path(WATCH): EndpointSync.server_stream(method=WATCH, function=_watch),
        }
        super().__init__(endpoints=endpoints, codecs=google_protobuf_codecs())

    @property
    def path(self) -> str:
        return ""


def _path(method: MethodInfo[Any, Any]) -> str:
    return f"/{method.service_name}/{method.name}"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False


class _Handler(WSGIRequestHandler):
    """Reads chunked requests too, which wsgiref leaves to the application."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
            self.rfile = io.BufferedReader(io.BytesIO(body))
            environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Tests print nothing."""
