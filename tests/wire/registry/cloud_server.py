"""A server on loopback that answers as clouds do: recorded bodies by method and path, and a log of what was asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Said:
    """One recorded answer."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """One request; header names in lower case, ``form`` the fields of query and body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        fields = parse_qs(urlsplit(self.path).query) | parse_qs(self.body)
        return {name: values[0] for name, values in fields.items()}


class CloudServer:
    """``say("POST /token", Said(...))`` decides what a path answers; a path that nobody named is a 404."""

    def __init__(self) -> None:
        self._answers: dict[str, Said] = {}
        self.heard: list[Heard] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self)

            do_POST = do_PUT = do_GET  # noqa: N815 - the names of the parent

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's signature
                """The log is ``heard``."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="cloud-server")
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    def say(self, what: str, answer: Said) -> None:
        self._answers[what] = answer

    def asked(self, path: str) -> list[Heard]:
        return [heard for heard in self.heard if urlsplit(heard.path).path == path]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10.0)
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0"))).decode()
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.heard.append(Heard(handler.command, handler.path, headers, body))
        said = self._answers.get(f"{handler.command} {urlsplit(handler.path).path}", Said("{}", 404))
        handler.send_response(said.status)
        content = said.body.encode()
        for name, value in {"Content-Length": str(len(content)), "Connection": "close", **said.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
