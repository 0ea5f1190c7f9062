"""What is known of one kind of sender, and the order in which a request of it is looked at (``runtime.md`` 7.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.webhooks.documents import Document, parse_document
from sidecar.webhooks.rejections import foreign
from sidecar.webhooks.request import WebhookRequest
from updater.ports.nudges import PushEvent

CheckHeaders = Callable[[WebhookRequest], None]
CheckSecret = Callable[[WebhookRequest, str], None]
ReadEvents = Callable[[Document, WebhookRequest], tuple[PushEvent, ...]]


def _no_headers(request: WebhookRequest) -> None:
    del request


@dataclass(frozen=True, slots=True)
class Sender:
    """One type of ``runtime.md`` 7.3. ``title`` is its name for people.

    All three callables raise ``WebhookRejected``; ``read_events`` gives at least one event. ``repeats_refused``: it
    sends what was refused again and again, and nothing else until that is taken.
    """

    type: str
    title: str
    check_secret: CheckSecret
    read_events: ReadEvents
    check_headers: CheckHeaders = _no_headers
    repeats_refused: bool = False

    def parse(self, request: WebhookRequest, secret: str) -> tuple[PushEvent, ...]:
        """The events of a request: method, headers, secret, JSON, content, in this order.

        ``secret`` empty: none is asked for, and one that is sent is ignored. Raises ``WebhookRejected``.
        """
        if request.method != "POST":
            raise foreign("method_not_allowed", "invalid HTTP method", request.method)
        self.check_headers(request)
        if secret:
            self.check_secret(request, secret)
        return self.read_events(parse_document(request.body), request)


def check_json(request: WebhookRequest) -> None:
    """A content type that names JSON, parameters allowed."""
    check_content_type(request, "application/json")


def check_content_type(request: WebhookRequest, *accepted: str) -> None:
    """A content type that contains one of these words, in any letter case."""
    sent = request.header("Content-Type")
    if not any(word in sent.lower() for word in accepted):
        raise foreign("bad_content_type", "invalid content type", sent)
