"""What every application here shares: routes, plain answers to mistakes, headers, and a record per request.

Applications are tables of routes to functions from a request to a response. Nothing of a request is echoed, and no
answer may be guessed to be of another type than it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.wrappers import Request, Response

from updater.ports.log import EventLog
from updater.transport.redaction import cap_text

PLAIN = "text/plain; charset=utf-8"
_MOST_PATH = 200
_IPV4_IN_IPV6 = "::ffff:"
_READING = ("GET", "HEAD")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::[0-9]*)?")

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

Handler = Callable[[Request, Mapping[str, str]], Response]
"""Gets the request and the parts of the path that its route names."""


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` in werkzeug's notation; ``methods`` None admits all, and GET brings HEAD."""

    path: str
    handler: Handler
    methods: tuple[str, ...] | None = ("GET",)


@dataclass(frozen=True, slots=True)
class WebOptions:
    """``headers`` go on every answer. A request with a body over ``max_body_bytes`` is answered 413.

    ``is_read_only``: other methods than GET and HEAD are answered 405, whatever the path. ``hosts`` are the names that
    requests may be for, without port and in lower case; None admits all.
    """

    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    max_body_bytes: int = 65_536
    is_read_only: bool = False
    hosts: frozenset[str] | None = None


class WebApplication:
    """A WSGI application. Thread-safe as far as its handlers are."""

    def __init__(self, routes: Sequence[Route], options: WebOptions, log: EventLog) -> None:
        self._handlers = {route.path: route.handler for route in routes}
        rules = [Rule(route.path, endpoint=route.path, methods=route.methods) for route in routes]
        self._map = Map(rules, merge_slashes=False).bind("")
        self._options = options
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = self._options.max_body_bytes
        response = self._refuse(request) or self._respond(request)
        for name, value in (("X-Content-Type-Options", "nosniff"), *self._options.headers.items()):
            response.headers.setdefault(name, value)
        self._log.trace(
            "http_request_answered",
            method=request.method,
            path=shown(request.path),
            status=response.status_code,
            remote=remote_of(request),
        )
        return response(environ, start_response)

    def _refuse(self, request: Request) -> Response | None:
        if self._options.hosts is not None and _host_of(request) not in self._options.hosts:
            return plain("Misdirected Request", 421)
        if self._options.is_read_only and request.method not in _READING:
            return plain("Method Not Allowed", 405, {"Allow": ", ".join(_READING)})
        return None

    def _respond(self, request: Request) -> Response:
        try:
            path, arguments = self._map.match(request.path, request.method)
            return self._handlers[path](request, arguments)
        except RequestRedirect:
            return plain("Not Found", 404)
        except HTTPException as error:
            if isinstance(error.response, Response):
                return error.response
            allowed = getattr(error, "valid_methods", None)
            headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
            return plain(error.name, error.code or 500, headers)
        except Exception as error:  # noqa: BLE001 - the one catching place of a request
            self._log.error("bug_found", exception=error, error=f"{type(error).__name__} in {shown(request.path)}")
            return plain("Internal Server Error", 500)


def _host_of(request: Request) -> str:
    """The name in the header ``Host``: a page elsewhere whose name leads here shows itself by it."""
    match = _HOST.fullmatch(request.headers.get("Host", ""))
    return match[1].lower() if match else ""


def plain(text: str, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """A line of text; the newline is the caller's business where somebody compares."""
    return Response(text, status, headers=dict(headers), content_type=PLAIN)


def remote_of(request: Request) -> str:
    """The address of the peer, an IPv4 one as such even if it came in through a socket for both."""
    return (request.remote_addr or "").removeprefix(_IPV4_IN_IPV6)


def shown(text: str) -> str:
    """A text of a client's, short and without controls, as far as it may enter a record."""
    return cap_text(text, _MOST_PATH)
