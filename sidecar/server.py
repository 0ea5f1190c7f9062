"""A listener: one address, one WSGI application, bounded workers; TLS when it is given a context.

Used for health, metrics, webhooks and the status page. ``bind`` comes first and fails while the process can still say
so and end; ``start`` serves; ``stop`` ends it by a deadline. A listener that dies in between tells its owner, who ends
the process (``runtime.md`` 3.10). The library behind it is the business of ``sidecar.connections``.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from wsgiref.types import WSGIApplication

from sidecar.addresses import Address, bind_socket
from sidecar.connections import BoundServer, Limits
from updater.clock import Clock, Deadline
from updater.errors import ConfigurationError
from updater.ports.log import EventLog

_GRACE_S = 1.0
"""For connections that the library cuts when the deadline has passed."""

OnDeath = Callable[[str], None]
"""Told the name of a listener that ended although nobody stopped it. Called once, in the listener's own thread."""


def nobody_cares(name: str) -> None:
    """An ``OnDeath`` for listeners whose end is no news."""
    del name


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """``name`` is the word in records and thread names (``health``); ``where`` the setting that gave the address.

    ``without`` is what to write to do without the listener.
    """

    name: str
    where: str = ""
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None
    without: str = ""


class Listener:
    """Bound, started and stopped once each, by one owner."""

    def __init__(
        self, address: Address, application: WSGIApplication, options: ListenerOptions, clock: Clock, log: EventLog
    ) -> None:
        self._wanted = address
        self._application = application
        self._options = options
        self._clock = clock
        self._log = log.bind(listener=options.name)
        self._server: BoundServer | None = None
        self._thread: threading.Thread | None = None
        self._on_death: OnDeath = nobody_cares

    @property
    def name(self) -> str:
        return self._options.name

    @property
    def address(self) -> Address:
        """Where it listens: with the port that the system chose, once it is bound."""
        if self._server is None:
            return self._wanted
        return Address(self._wanted.host, int(self._server.bind_addr[1]))

    def fileno(self) -> int:
        """The file descriptor that it listens on, -1 when there is none."""
        return -1 if self._server is None else self._server.listening.fileno()

    def bind(self) -> None:
        """Take the address. Raises ``ConfigurationError`` ``port_in_use``."""
        options = self._options
        bound = bind_socket(self._wanted, options.where, options.without)
        self._server = BoundServer(bound, self._application, options.limits, self._clock, self._log, options.tls)

    def start(self, on_death: OnDeath = nobody_cares) -> None:
        """Serve, in threads that do not keep the process alive."""
        self._on_death = on_death
        self._thread = threading.Thread(target=self._serve, name=f"http-{self.name}", daemon=True)
        self._thread.start()

    def stop(self, deadline: Deadline) -> bool:
        """Accept nothing more, let running requests end until the deadline, close; False when some still ran.

        Harmless before ``bind`` or ``start`` and when it is called again.
        """
        server, self._server = self._server, None
        if server is None:
            return True
        server.is_ending.set()
        with suppress(OSError):  # an error says that it was not connected, which is what a listening socket is
            server.listening.shutdown(socket.SHUT_RDWR)
        is_done = self._thread is None or self._end(server, self._thread, deadline)
        server.listening.close()
        server.watchdog.close()
        return is_done

    def _end(self, server: BoundServer, thread: threading.Thread, deadline: Deadline) -> bool:
        thread.join(deadline.remaining_s())
        server.shutdown_timeout = deadline.remaining_s()
        # The library waits without end for a worker that hangs: in a thread that may be left behind.
        stopper = threading.Thread(target=server.stop, name=f"http-{self.name}-end", daemon=True)
        stopper.start()
        stopper.join(deadline.remaining_s() + _GRACE_S)
        if stopper.is_alive():
            self._log.warning("http_requests_abandoned")
        return not stopper.is_alive()

    def _serve(self) -> None:
        server = self._server
        if server is None:
            raise AssertionError("a listener is bound before it is started")
        try:
            server.prepare()
            server.serve()
        except Exception as error:  # noqa: BLE001 - whatever it is, the owner must hear of it
            self._log.error("listener_died", exception=error, address=str(self._wanted), error=str(error))
        if not server.is_ending.is_set():
            self._on_death(self.name)


def server_tls(certificate: str, key: str, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A context for a listener from PEM files. Raises ``ConfigurationError`` ``tls_invalid``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = minimum
    try:
        # A password that is no password, or OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        text = f"the certificate and key cannot be used ({type(error).__name__}: {error})"
        raise ConfigurationError(text, where=f"{certificate}, {key}", code="tls_invalid") from error
    return context
