"""Probes: ``/healthz``, ``/readyz`` and ``/version`` (``runtime.md`` 6).

``/healthz`` is what existing manifests ask: its bodies are compared byte by byte. It fails only for what a restart
mends. ``/readyz`` says whether the updater does its work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from sidecar.web import Route, WebApplication, WebOptions, plain
from updater.ports.log import EventLog
from updater.ports.status import ProcessHealth

HEALTHY = "OK\n"
EXHAUSTED = "PORT-EXHAUSTION"
VERSION_HEADER = "X-Image-Updater-Version"


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What ``/version`` tells; ``build_date`` is RFC 3339."""

    version: str
    commit: str
    build_date: str


def health_application(health: ProcessHealth, build: BuildFacts, log: EventLog) -> WebApplication:
    """The application of the health port. Any method is a probe."""
    pages = _Pages(health, build)
    routes = (
        Route("/healthz", pages.healthz, methods=None),
        Route("/readyz", pages.readyz, methods=None),
        Route("/version", pages.version),
    )
    headers = {VERSION_HEADER: build.version, "Cache-Control": "no-store"}
    return WebApplication(routes, WebOptions(headers), log)


class _Pages:
    """The handlers."""

    def __init__(self, health: ProcessHealth, build: BuildFacts) -> None:
        self._health = health
        self._build = build

    def healthz(self, _request: Request, _arguments: Mapping[str, str]) -> Response:
        return plain(EXHAUSTED, 503) if self._health.is_out_of_ports else plain(HEALTHY)

    def readyz(self, request: Request, arguments: Mapping[str, str]) -> Response:
        reason = self._health.why_not_ready()
        return plain(f"{reason}\n", 503) if reason else self.healthz(request, arguments)

    def version(self, _request: Request, _arguments: Mapping[str, str]) -> Response:
        build = self._build
        facts = {"version": build.version, "commit": build.commit, "buildDate": build.build_date}
        return Response(json.dumps(facts) + "\n", content_type="application/json")
