"""A certificate that is renewed in its files while the process runs, as those of a mounted Secret are.

Looked for during handshakes, at most every ``LOOK_EVERY_S``. A pair that cannot be used is one error a minute, and the
one before it goes on being served: while the files are being replaced, one of them may be new and the other old.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from sidecar.webhooks.repeats import Repeats
from updater.clock import Clock
from updater.errors import ConfigurationError
from updater.ports.log import EventLog

LOOK_EVERY_S = 10.0

MakeContext = Callable[[], ssl.SSLContext]
"""Reads the files. Raises ``ConfigurationError``."""

_State = tuple[tuple[int, int, int], ...]


class RenewedContext:
    """Owns the current context. ``outer`` is what a listener is given. Thread-safe."""

    def __init__(self, make: MakeContext, files: Sequence[Path], clock: Clock, log: EventLog) -> None:
        self._make = make
        self._files = files
        self._clock = clock
        self._log = log
        self._repeats = Repeats(clock)
        self._looking = threading.Lock()
        self._seen = self._state()
        self._current = self.outer = make()
        self._looked_s = clock.monotonic_s()
        # Called in every handshake, also without a name in it; the context that is set there brings the certificate.
        self.outer.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        if self._clock.monotonic_s() - self._looked_s >= LOOK_EVERY_S and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        connection.context = self._current

    def _look(self) -> None:
        self._looked_s = self._clock.monotonic_s()
        seen = self._state()
        if seen == self._seen:
            return
        try:
            self._current = self._make()
        except ConfigurationError as error:
            left_out = self._repeats.news((error.code,))
            if left_out is not None:
                self._log.error("webhook_certificate_refused", exception=error, code=error.code, error=str(error))
            return
        self._seen = seen
        self._log.info("webhook_certificate_renewed", file=str(self._files[0]))

    def _state(self) -> _State | None:
        """What changes with the files' content; None when one of them is not there."""
        try:
            found = [path.stat() for path in self._files]
        except OSError:
            return None
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)
