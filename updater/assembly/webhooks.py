"""The webhook server of a process: its listener, its events, and how both end.

Order of the end (``runtime.md`` 3.10): new webhooks are refused, events that were accepted are handed on and their
Applications processed, then the rest of the process stops, at last the listener closes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sidecar.addresses import Address
from sidecar.server import Listener, ListenerOptions, OnDeath
from sidecar.webhooks.application import LIMITS, WebhookApplication
from sidecar.webhooks.processor import EventProcessor
from sidecar.webhooks.receiver import Receiver
from sidecar.webhooks.routing import Routing
from sidecar.webhooks.tls import TlsWish, webhook_tls
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.ports.nudges import Nudges, PushEvent
from updater.settings.webhooks import WebhookSettings

JOIN_TIMEOUT_S = 1.0
"""For the thread that hands events on: what it is doing has a deadline of its own, and nobody waits for it."""


class Webhooks:
    """One per process. ``open`` before ``follow``; ``end`` from any thread; ``close`` comes last. Idempotent ends."""

    def __init__(self, settings: WebhookSettings, port: int, around: Surroundings) -> None:
        self._around = around
        self._nudges: Nudges | None = None
        self._ending = threading.Lock()
        self._is_ending = False
        routing = Routing(settings.secrets, settings.requires_secret)
        self._processor = EventProcessor(self, settings.per_hour, around.clock, around.log, around.metrics)
        self._receiver = Receiver(routing, self._processor, around.clock, around.log, around.metrics)
        self._application = WebhookApplication(self._receiver)
        wish = TlsWish(
            settings.is_plain,
            settings.tls_minimum,
            settings.tls_maximum,
            settings.tls_ciphers,
            settings.tls_folder,
        )
        tls = webhook_tls(wish, around.clock, around.log)
        self._is_encrypted = tls is not None
        options = ListenerOptions("webhook", "--webhook-port", LIMITS, tls)
        self._listener = Listener(
            Address("", port), self._application.wsgi(around.log), options, around.clock, around.log
        )

    @property
    def name(self) -> str:
        """The listener's word in records."""
        return self._listener.name

    @property
    def address(self) -> Address:
        """Where it listens, once it is open."""
        return self._listener.address

    def open(self, on_death: OnDeath) -> None:
        """Take the port and serve; events wait until the fleet is known. Raises ``ConfigurationError``."""
        self._listener.bind()
        log = self._around.log
        log.info("webhook_server_started", port=self._listener.address.port, tls=self._is_encrypted)
        self._remark(self._receiver.routing)
        self._listener.start(on_death)
        self._processor.start()

    def reconfigure(self, settings: WebhookSettings) -> None:
        """Other secrets and another rate, from the next webhook on."""
        self._receiver.routing = Routing(settings.secrets, settings.requires_secret)
        self._processor.limit(settings.per_hour)

    def follow(self, nudges: Nudges) -> None:
        """Who is to be told of events."""
        self._nudges = nudges

    def fleet_known(self) -> None:
        """The Applications are known, so events can be matched with them."""
        self._processor.open()

    def nudge(self, event: PushEvent) -> int:
        """For the processor: tell whoever schedules by now."""
        return 0 if self._nudges is None else self._nudges.nudge(event)

    def wait_settled(self, timeout_s: float) -> bool:
        """For the processor: see ``updater.ports.nudges``."""
        return self._nudges is None or self._nudges.wait_settled(timeout_s)

    def end(self, deadline: Deadline, then: Callable[[], None]) -> None:
        """Refuse new webhooks, finish those that were accepted, and call ``then`` once. Returns at once."""
        with self._ending:
            if self._is_ending:
                return
            self._is_ending = True
        self._application.refuse_all()

        def finish() -> None:
            try:
                if not self._processor.drain(deadline):
                    self._around.log.warning("webhook_events_unfinished")
            finally:
                self._processor.stop()
                then()

        threading.Thread(target=finish, name="webhook-end", daemon=True).start()

    def close(self, deadline: Deadline) -> None:
        """Stop listening, and give the threads back."""
        self._application.refuse_all()
        self._processor.stop()
        self._listener.stop(deadline)
        self._processor.join(min(JOIN_TIMEOUT_S, deadline.remaining_s()))

    def _remark(self, routing: Routing) -> None:
        log = self._around.log
        if not routing.types:
            text = (
                "no webhook handlers are registered: no type of registry has a secret; set one of the variables "
                "..._WEBHOOK_SECRET, or --webhook-require-secret=false to believe everybody"
            )
            log.warning("setting_remarked", kind="no_handlers", text=text)
        if routing.unauthenticated:
            text = f"webhooks of these types are believed without a secret: {', '.join(routing.unauthenticated)}"
            log.warning("setting_remarked", kind="unauthenticated_webhooks", text=text)
        for kind, secret in sorted(routing.secrets.items()):
            if secret.reveal() != secret.reveal().strip():
                text = (
                    f"the webhook secret of type {kind} begins or ends with a blank or a line break, which few can send"
                )
                log.warning("setting_remarked", kind="secret_with_blanks", text=text)
        log.debug("webhook_types_registered", types=",".join(routing.types))


def build_webhooks(settings: WebhookSettings, around: Surroundings) -> Webhooks | None:
    """The server that the settings want, not yet listening. Raises ``ConfigurationError`` ``tls_invalid``."""
    return None if settings.port is None else Webhooks(settings, settings.port, around)
