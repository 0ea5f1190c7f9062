"""The HTTP side of a fake: routes, one answer at a time, faults on order, and a list of what was asked."""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.contract.forge.fakes.world import World

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass
class Reply:
    status: int = 200
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None

    def content(self) -> bytes:
        if self.text is not None:
            return self.text.encode()
        return b"" if self.value is None else json.dumps(self.value).encode()


class Refusal(Exception):
    """Ends a route with an answer."""

    def __init__(self, status: int, value: Any = None) -> None:
        super().__init__(str(status))
        self.reply = Reply(status, value)


Route = Callable[..., Reply]


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Answer to ``method`` and a path pattern, whose groups are decoded and handed over."""

    def mark(function: Route) -> Route:
        function.route = (method, re.compile(pattern))  # type: ignore[attr-defined]  # read by FakeForge alone
        return function

    return mark


class FakeForge:
    """One API. Subclasses have routes; ``authorize`` says whether a request carries the token in the right form."""

    root: ClassVar[str]

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.asked: list[Asked] = []
        self.faults: list[Reply | Callable[[Asked], Reply | None]] = []
        self.origin = ""
        members = (getattr(self, name) for name in dir(type(self)) if not name.startswith("__"))
        self._routes = [(*member.route, member) for member in members if hasattr(member, "route")]
        self._lock = threading.Lock()

    @property
    def api(self) -> str:
        return f"{self.origin}{self.root}"

    def serves(self, path: str) -> bool:
        """Whether a path belongs to the API, on a server that has repositories beside it."""
        return path.startswith(self.root)

    def authorize(self, asked: Asked) -> bool:
        raise NotImplementedError

    def denied(self) -> Reply:
        return Reply(401, {"message": "Bad credentials"})

    def unknown(self) -> Reply:
        return Reply(404, {"message": "Not Found"})

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, Reply):
                return fault
            made = fault(asked) if fault is not None else None
            if made is not None:
                return made
            if not self.authorize(asked):
                return self.denied()
            return self._routed(asked)

    def _routed(self, asked: Asked) -> Reply:
        for method, pattern, member in self._routes:
            found = pattern.fullmatch(asked.path.removeprefix(self.root))
            if method == asked.method and found and asked.path.startswith(self.root):
                if method != "GET":
                    self.world.before_write()
                try:
                    return member(asked, *map(unquote, found.groups()))
                except Refusal as refusal:
                    return refusal.reply
        return self.unknown()

    def methods(self) -> list[str]:
        return [each.method for each in self.asked]


class ForgeServer:
    """Serves one fake on loopback; ``other`` gets what is not below the fake's root."""

    def __init__(
        self,
        forge: FakeForge,
        other: Callable[[BaseHTTPRequestHandler], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.forge = forge
        serving = {f"do_{method}": _Handler.serve for method in _METHODS}
        handler = type(
            "Handler", (_Handler,), {**serving, "forge": forge, "other": staticmethod(other) if other else None}
        )
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        if tls is not None:
            # The handshake belongs to the thread of its connection, or one bad client would block all.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        forge.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return self.forge.origin

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us, or goes away, is what some tests are about."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    forge: FakeForge
    other: Callable[[BaseHTTPRequestHandler], None] | None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def serve(self) -> None:
        parts = urlsplit(self.path)
        if self.other is not None and not self.forge.serves(parts.path):
            self.other(self)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()))
        asked.body = json.loads(body) if body else None
        self._reply(self.forge.answer(asked))

    def _reply(self, reply: Reply) -> None:
        content = b"" if reply.status == 204 else reply.content()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """What was asked stands in ``asked``."""
