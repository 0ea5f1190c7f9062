"""The status API and page as one application.

A request is read-only, needs no cookie, and is answered from memory. Whoever asks again with the tag of what he has
gets 304 while nothing changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response

from sidecar.addresses import Address
from sidecar.status.documents import (
    SCHEMA_VERSION,
    Document,
    application_document,
    applications_document,
    cycles_document,
)
from sidecar.status.page import StatusPageText, load_page
from sidecar.web import Route, WebApplication, WebOptions
from updater.model.applications import ApplicationKey
from updater.ports.log import EventLog
from updater.ports.status import StatusQuery, StatusReader

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
_MAX_SEARCH = 200
_MAX_KEY = 600
_NUMBER = re.compile(r"[0-9]{1,3}")
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def status_application(reader: StatusReader, address: Address, log: EventLog, *, instance: str) -> WebApplication:
    """The application of the status listener; ``instance`` tells this process from earlier ones.

    On a loopback address only requests for this machine's own names are answered: a page elsewhere whose name was made
    to lead here gets nothing (``runtime.md`` 6.1).
    """
    pages = _Pages(reader, load_page(), instance)
    routes = (
        Route("/", pages.page),
        Route("/api/v1/applications", pages.applications),
        Route("/api/v1/applications/<namespace>/<name>", pages.application),
        Route("/api/v1/cycles", pages.cycles),
    )
    hosts = _LOCAL_NAMES if address.is_loopback else None
    headers = {**HEADERS, "Content-Security-Policy": pages.text.policy}
    return WebApplication(routes, WebOptions(headers, is_read_only=True, hosts=hosts), log)


class _Pages:
    """The handlers."""

    def __init__(self, reader: StatusReader, text: StatusPageText, instance: str) -> None:
        self._reader = reader
        self._instance = instance
        self.text = text

    def page(self, request: Request, _arguments: Mapping[str, str]) -> Response:
        tag = self.text.tag
        if request.if_none_match.contains_weak(tag):
            return _unchanged(tag)
        response = Response(self.text.html, content_type="text/html; charset=utf-8")
        response.set_etag(tag, weak=True)
        return response

    def applications(self, request: Request, _arguments: Mapping[str, str]) -> Response:
        query = _read_query(request)
        return self._answer(request, lambda: applications_document(self._reader.list_applications(query), self._reader))

    def application(self, request: Request, arguments: Mapping[str, str]) -> Response:
        key = ApplicationKey(arguments["namespace"], arguments["name"])
        detail = self._reader.find_application(key)
        if detail is None:
            problem: Document = {"schemaVersion": SCHEMA_VERSION, "error": "no such Application is looked after"}
            return _json(problem, 404)
        return self._answer(request, lambda: application_document(detail, self._reader))

    def cycles(self, request: Request, _arguments: Mapping[str, str]) -> Response:
        return self._answer(request, lambda: cycles_document(self._reader))

    def _answer(self, request: Request, make: Callable[[], Document]) -> Response:
        # Read before the document: what changes in between makes the tag too old, and costs one more answer.
        tag = f"{self._instance}-{self._reader.version}"
        if request.if_none_match.contains_weak(tag):
            return _unchanged(tag)
        response = _json(make())
        response.set_etag(tag, weak=True)
        return response


def _json(document: Document, status: int = 200) -> Response:
    text = json.dumps(document, separators=(",", ":")) + "\n"
    return Response(text, status, content_type="application/json")


def _unchanged(tag: str) -> Response:
    response = Response(status=304)
    response.set_etag(tag, weak=True)
    return response


def _read_query(request: Request) -> StatusQuery:
    """Raises ``BadRequest``."""
    found = request.args
    limit = found.get("limit", str(DEFAULT_LIMIT))
    if not (_NUMBER.fullmatch(limit) and 1 <= int(limit) <= MAX_LIMIT):
        _refuse(f"limit is a number from 1 to {MAX_LIMIT}")
    search, after, reason = found.get("search", ""), found.get("continue", ""), found.get("reason", "")
    if len(search) > _MAX_SEARCH or len(after) > _MAX_KEY or len(reason) > _MAX_SEARCH:
        _refuse("a value is too long")
    return StatusQuery(reason, search.strip().lower(), after, int(limit))


def _refuse(text: str) -> NoReturn:
    problem: Document = {"schemaVersion": SCHEMA_VERSION, "error": text}
    raise BadRequest(response=_json(problem, 400))
