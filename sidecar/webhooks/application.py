"""The HTTP face of the webhook server: ``/webhook`` and its own ``/healthz`` (``runtime.md`` 7.2).

A body is read to its end, or to the cap, before anything of it is looked at. The query is never shown or logged: it
may hold a secret.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from sidecar.connections import Limits
from sidecar.web import Route, WebApplication, WebOptions, plain, remote_of
from sidecar.webhooks.receiver import UNKNOWN, Receiver
from sidecar.webhooks.rejections import rejected
from sidecar.webhooks.request import WebhookRequest
from updater.errors import WebhookRejected
from updater.ports.log import EventLog

MAX_BODY_BYTES = 1_048_576

LIMITS = Limits(workers=32, max_body_bytes=0, idle_timeout_s=5, request_timeout_s=10.0)
"""Payloads come in one piece from nearby and are answered within milliseconds. The cap on bodies is ours to keep, so
that its answer is in our words."""

_DISCARDED_BYTES = 4 * MAX_BODY_BYTES
"""Of a body that is too large: closing before the sender has finished would take our answer from it."""


class WebhookApplication:
    """The handlers of both paths. Thread-safe."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._is_ending = threading.Event()

    def refuse_all(self) -> None:
        """Answer 503 to every webhook from now on."""
        self._is_ending.set()

    def wsgi(self, log: EventLog) -> WebApplication:
        """What a listener serves."""
        routes = (
            Route("/webhook", self._webhook, methods=None),
            Route("/healthz", _healthy, methods=None),
        )
        return WebApplication(routes, WebOptions(max_body_bytes=MAX_BODY_BYTES), log)

    def _webhook(self, request: Request, arguments: Mapping[str, str]) -> Response:
        del arguments
        if self._is_ending.is_set():
            return plain("the updater is shutting down", 503)
        try:
            return plain(self._receiver.receive(_read(request)))
        except RequestEntityTooLarge:
            return self._too_large(request)
        except WebhookRejected as error:
            return plain(error.what, 400)

    def _too_large(self, request: Request) -> Response:
        error = rejected("body_too_large", "request body too large")
        self._receiver.refuse(UNKNOWN, error, remote_of(request))
        rest, left = request.environ["wsgi.input"], _DISCARDED_BYTES
        while left > 0 and (piece := rest.read(min(left, 65_536))):
            left -= len(piece)
        return plain(error.what, 413)


def _healthy(request: Request, arguments: Mapping[str, str]) -> Response:
    del request, arguments
    return plain("OK")


def _read(request: Request) -> WebhookRequest:
    """Raises ``RequestEntityTooLarge``."""
    # A body in chunks is silently cut off at the library's limit, so that is one byte more than ours.
    request.max_content_length = MAX_BODY_BYTES + 1
    body = request.get_data(cache=False)
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return WebhookRequest(
        method=request.method,
        query=request.args.to_dict(),
        headers={name.lower(): _decoded(value) for name, value in request.headers.items()},
        body=body,
        remote=remote_of(request),
    )


def _decoded(value: str) -> str:
    """A header's value as UTF-8: WSGI hands over its bytes as if they were Latin-1."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")
