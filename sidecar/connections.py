"""How cheroot is made to stand clients that are slow, silent, many or hostile.

What cheroot does by itself, and what is done here in its place (cheroot 11.1):

* it hands every accepted connection to a worker, which then waits for the first byte. Here a connection waits in the
  selector until something can be read, so silence costs no worker;
* it performs TLS handshakes in the thread that accepts. Here the worker does, so a client that stalls its handshake
  stalls nobody else;
* its timeouts count from the last byte. Here a watchdog ends what takes too long altogether;
* when all workers are busy it queues without bound, or answers 503 in a thread of its own. Here the queue is bounded,
  and what finds it full is closed;
* it keeps as many silent connections as come. Here there is a limit, and the one that has been silent longest makes
  room: whoever asks at once, as probes do, gets through;
* an error while accepting is printed and repeated at once, for ever. Here a lack of file descriptors is waited out,
  what concerned one client is logged, and what makes accepting impossible ends the server, which its owner hears of;
* it prints to standard error. Here everything goes to the log, without the text of a request.
"""

from __future__ import annotations

import errno
import logging
import queue
import socket
import ssl
import sys
import threading
from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from wsgiref.types import WSGIApplication

from cheroot.connections import ConnectionManager
from cheroot.errors import FatalSSLAlert
from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from updater.clock import Clock, Deadline
from updater.ports.log import EventLog
from updater.transport.watchdog import Watchdog, WatchdogClosed

SERVER_NAME = "argocd-image-updater"
"""What the header ``Server`` says: no versions."""

_PAUSE_S = 0.2
"""Between attempts to accept while the process has no file descriptor left."""

_SAY_AGAIN_S = 60.0
_MOST_BORNE = 20
"""Errors within a minute that are put down to single clients; with more, something else is broken."""

_OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO})


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take. ``max_connections`` are those that wait for a request, and those that wait for a worker.

    ``idle_timeout_s`` is between two bytes and between two requests of a connection; ``request_timeout_s`` is for one
    request altogether: handshake, head, body, work and answer.
    """

    workers: int = 4
    max_connections: int = 128
    max_head_bytes: int = 16_384
    max_body_bytes: int = 65_536
    idle_timeout_s: int = 10
    request_timeout_s: float = 30.0


class _Request(HTTPRequest):
    """A request whose connection ends with it if it has a body: no dispute about where the next one begins.

    Headers with an underscore are dropped: for an application they would be those with a dash, which a proxy before us
    may have checked (the library's reader for that fails on Python 3).
    """

    def read_request_headers(self) -> bool:
        is_good = bool(super().read_request_headers())  # type: ignore[no-untyped-call] # its stub has no types
        if b"Content-Length" in self.inheaders or b"Transfer-Encoding" in self.inheaders:
            self.close_connection = True
        for name in [name for name in self.inheaders if b"_" in name]:
            del self.inheaders[name]
        return is_good


class _Connection(HTTPConnection):
    """One connection; ``communicate`` runs in a worker."""

    RequestHandlerClass = _Request
    server: BoundServer
    socket: socket.socket
    _is_greeted = False

    def communicate(self) -> bool:
        """One request; whether the connection stays open."""
        server = self.server
        deadline = Deadline.after(server.clock, server.limits.request_timeout_s)
        try:
            watch = server.watchdog.watch(deadline, self._interrupt)
        except WatchdogClosed:
            return False
        try:
            return self._greet() and bool(super().communicate())  # type: ignore[no-untyped-call] # see above
        finally:
            watch.done()

    def _greet(self) -> bool:
        """Perform the handshake of TLS, once."""
        if self._is_greeted or not isinstance(self.socket, ssl.SSLSocket):
            return True
        try:
            self.socket.do_handshake()
        except OSError as error:
            self.server.log.debug("tls_handshake_failed", error=type(error).__name__)
            return False
        self._is_greeted = True
        return True

    def _interrupt(self) -> None:
        try:
            # Not the method of an SSL socket, which takes the state of TLS away under the worker that uses it.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        except OSError as error:
            self.server.log.debug("connection_ended_already", error=type(error).__name__)


class _Tls:
    """What cheroot calls an adapter: wraps accepted sockets and leaves the handshake to the worker."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def wrap(self, accepted: socket.socket) -> tuple[socket.socket, dict[str, Any]]:
        try:
            accepted.getpeername()
            wrapped = self.context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        except OSError as error:
            # The peer has gone; Python wraps no socket that left data behind. Only this class keeps the loop going.
            accepted.close()
            raise FatalSSLAlert(str(error)) from error
        return wrapped, {"wsgi.url_scheme": "https"}

    def makefile(self, wrapped: socket.socket, mode: str = "r", size: int = -1) -> object:
        return MakeFile(wrapped, mode, size)


class _Connections(ConnectionManager):
    """The connections that wait for a request, and the socket that listens. Of the thread that accepts, but ``put``."""

    _selector: Any
    """The library's, without types."""

    def drop_oldest(self) -> None:
        """Close the connection that has been silent longest."""
        waiting = [(conn.last_used, number, conn) for number, conn in self._selector.connections if conn != self.server]
        if waiting:
            _, number, conn = min(waiting, key=itemgetter(0))
            self._selector.unregister(number)
            conn.close()


class BoundServer(Server):
    """cheroot on a socket that listens already. ``prepare`` and ``serve`` in one daemon thread, whose heirs the
    workers are; ``stop`` from another.
    """

    ConnectionClass = _Connection

    def __init__(
        self,
        listening: socket.socket,
        application: WSGIApplication,
        limits: Limits,
        clock: Clock,
        log: EventLog,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            listening.getsockname()[:2],
            application,
            numthreads=limits.workers,
            max=limits.workers,
            server_name=SERVER_NAME,
            timeout=limits.idle_timeout_s,
            accepted_queue_size=limits.max_connections,
            accepted_queue_timeout=0,
        )
        self.limits = limits
        self.clock = clock
        self.log = log
        self.watchdog = Watchdog()
        self.max_request_header_size = limits.max_head_bytes
        self.max_request_body_size = limits.max_body_bytes
        self.keep_alive_conn_limit = limits.max_connections
        self.ssl_adapter = _Tls(tls) if tls is not None else None
        self.is_ending = threading.Event()
        self.listening = listening
        self._said_s: float | None = None
        self._borne: deque[float] = deque(maxlen=_MOST_BORNE)

    def prepare(self) -> None:
        """Start the workers. The library's own would take file descriptor 3 if ``LISTEN_PID`` is set."""
        self.software = SERVER_NAME
        self.socket = self.listening
        self.socket.settimeout(1)
        self._connections = _Connections(self)
        self.requests.start()
        self.ready = True

    def serve(self) -> None:
        """Accept until ``stop``; raises what makes accepting impossible."""
        while self.ready and not self.is_ending.is_set():
            try:
                self._connections.run(self.expiration_interval)
            except Exception as error:
                if self.is_ending.is_set():
                    return
                if not self._is_listening():
                    raise
                self._bear(error)

    def stop(self) -> None:
        """Let workers finish and end them, once ``serve`` has returned."""
        # The library would connect to this socket to wake the thread that accepts.
        self.socket = None
        super().stop()

    def process_conn(self, conn: _Connection) -> None:
        """A connection that is new, or that has something to read."""
        if conn.last_used is None:
            if not self.can_add_keepalive_connection:
                self._say_busy()
                self._connections.drop_oldest()
            self.put_conn(conn)
            return
        try:
            self.requests.put(conn)
        except queue.Full:
            self._say_busy()
            conn.close()

    def error_log(  # the library's signature
        self,
        msg: str = "",  # noqa: ARG002
        level: int = logging.INFO,
        traceback: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> None:
        """What the library reports: clients that went away are its everyday life, the rest is a bug."""
        error = sys.exc_info()[1]
        if level < logging.ERROR:
            self.log.debug("http_connection_broken", error=type(error).__name__)
        else:
            self.log.error("bug_found", exception=error, error=f"{type(error).__name__} while serving HTTP")

    def _say_busy(self) -> None:
        self._say("http_server_busy", connections=self.limits.max_connections, workers=self.limits.workers)

    def _is_listening(self) -> bool:
        try:
            return bool(self.listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError:
            return False

    def _bear(self, error: Exception) -> None:
        """Go on after an error that left the socket as it was; raises one that has come too often."""
        if isinstance(error, OSError) and error.errno in _OUT_OF_MEANS:
            self._say("http_accept_failed", error=errno.errorcode[error.errno])
        else:
            now_s = self.clock.monotonic_s()
            self._borne.append(now_s)
            if len(self._borne) == _MOST_BORNE and now_s - self._borne[0] < _SAY_AGAIN_S:
                raise error
            self.log.error("bug_found", exception=error, error=f"{type(error).__name__} while accepting HTTP")
        self.is_ending.wait(_PAUSE_S)

    def _say(self, event: str, **fields: str | int) -> None:
        """A warning, at most once a minute."""
        now_s = self.clock.monotonic_s()
        if self._said_s is None or now_s - self._said_s >= _SAY_AGAIN_S:
            self._said_s = now_s
            self.log.warning(event, **fields)
