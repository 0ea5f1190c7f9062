"""``/metrics`` (``runtime.md`` 5.1)."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sidecar.connections import Limits
from sidecar.web import Route, WebApplication, WebOptions
from updater.ports.log import EventLog
from updater.ports.metrics import Exposition

METRICS_LIMITS = Limits(workers=2, request_timeout_s=60.0)
"""Two scrapers at a time: to render a fleet of 50,000 with a series each takes seconds and a processor."""

_WORTH_PACKING = 4_096
_FASTEST = 1


def metrics_application(exposition: Exposition, log: EventLog) -> WebApplication:
    """The application of the metrics port."""

    def metrics(request: Request, _arguments: Mapping[str, str]) -> Response:
        body, content_type = exposition.negotiate(request.headers.get("Accept", ""))
        headers = {"Vary": "Accept, Accept-Encoding"}
        if len(body) >= _WORTH_PACKING and request.accept_encodings["gzip"] > 0:
            body = gzip.compress(body, _FASTEST)
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers, content_type=content_type)

    return WebApplication((Route("/metrics", metrics),), WebOptions({"Cache-Control": "no-store"}), log)
