"""Connections to forges: kept between repositories where nothing but the network decides about them.

A trust store takes ten milliseconds and more to load, and a handshake its round trips; five hundred open requests are
five hundred questions in every round. What reads files of one repository's credentials lives as long as they do.
"""

from __future__ import annotations

import threading

from updater.clock import Clock
from updater.transport.http import HttpOptions, HttpTransport

MAX_KEPT = 16
"""Different proxies and degrees of trust; beyond it connections are not kept."""


class Connections:
    """Thread-safe. ``close`` cuts off what runs, from any thread; what is taken later answers as if cut off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[HttpOptions, HttpTransport] = {}
        self._passing: set[HttpTransport] = set()
        self._is_closed = False

    def take(self, http: HttpOptions) -> HttpTransport:
        """A transport, which goes back with ``give_back``."""
        with self._lock:
            transport = self._kept.get(http)
            if transport is None:
                transport = HttpTransport(http, self._clock)
                if _reads_no_file(http) and len(self._kept) < MAX_KEPT:
                    self._kept[http] = transport
                else:
                    self._passing.add(transport)
            is_closed = self._is_closed
        if is_closed:
            transport.close()
        return transport

    def give_back(self, transport: HttpTransport) -> None:
        """The end of one use."""
        with self._lock:
            is_passing = transport in self._passing
            self._passing.discard(transport)
        if is_passing:
            transport.close()

    def close(self) -> None:
        """Cancel every request. Idempotent."""
        with self._lock:
            self._is_closed = True
            transports = (*self._kept.values(), *self._passing)
        for transport in transports:
            transport.close()


def _reads_no_file(http: HttpOptions) -> bool:
    return not (http.tls.ca_file or http.tls.client_cert or http.tls.ca_data)
