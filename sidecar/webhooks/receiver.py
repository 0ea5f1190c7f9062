"""From a request to an answer: chooses the sender, hears its events, and says what was refused (``runtime.md`` 7.2)."""

from __future__ import annotations

from sidecar.webhooks.processor import EventProcessor
from sidecar.webhooks.rejections import IGNORABLE
from sidecar.webhooks.repeats import Repeats
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.routing import Routing
from updater.clock import Clock
from updater.errors import WebhookRejected
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics
from updater.ports.nudges import PushEvent
from updater.transport.redaction import cap_text

ACCEPTED = "Webhook received and processing"

UNKNOWN = "unknown"
"""What stands for a type that is not registered: what a stranger names must not become a label of a metric."""


class Receiver:
    """Thread-safe. ``routing`` may be replaced at any time; a request is judged by the one that held when it came."""

    def __init__(
        self, routing: Routing, processor: EventProcessor, clock: Clock, log: EventLog, metrics: Metrics
    ) -> None:
        self.routing = routing
        self._processor = processor
        self._log = log
        self._metrics = metrics
        self._repeats = Repeats(clock)

    def receive(self, request: WebhookRequest) -> str:
        """Queue the events of a request; returns the text of the answer.

        Raises ``WebhookRejected``, after having said so in the log.
        """
        routing, sender = self.routing, None
        try:
            sender = routing.choose(request)
            events = routing.parse(sender, request)
        except WebhookRejected as error:
            self.refuse(UNKNOWN if sender is None else sender.type, error, request.remote)
            if sender is not None and sender.repeats_refused and error.code in IGNORABLE:
                return f"Webhook received, {error.what}"
            raise
        self._metrics.increase("webhook_requests_total", type=sender.type, result="accepted")
        for event in events:
            self._accept(event, sender.type, request.remote)
        return ACCEPTED

    def refuse(self, kind: str, error: WebhookRejected, remote: str) -> None:
        """Count and report a rejection: what is merely no event for us is no error."""
        self._metrics.increase("webhook_requests_total", type=kind, result=error.code)
        left_out = self._repeats.news((kind, error.code))
        if left_out is None:
            return
        log = self._log.bind(type=kind, remote=remote, code=error.code, left_out=left_out)
        if error.code in IGNORABLE:
            log.info("webhook_ignored", error=str(error))
        else:
            log.error("webhook_failed", error=str(error))

    def _accept(self, event: PushEvent, kind: str, remote: str) -> None:
        self._log.info(
            "webhook_accepted",
            type=kind,
            remote=remote,
            registry=cap_text(event.registry),
            repository=cap_text(event.repository),
            tag=cap_text(event.tag),
        )
        self._processor.put(event)
