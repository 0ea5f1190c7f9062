"""Origins whose certificate was refused: only an operator can mend that, so they are left alone for a while.

Rules: ``registries.md`` 4.1. Without this, every repository of such a registry would cost a handshake per poll.
"""

from __future__ import annotations

import threading

from cachetools import TTLCache

from updater.clock import Clock
from updater.registry.failures import broken_exchange
from updater.registry.transports import TransportKey
from updater.transport.errors import TransportError, TransportFailure

BELIEVED_S = 300.0
_MAX_ORIGINS = 1_000


class Distrusted:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._has_any = False
        self._reasons: TTLCache[TransportKey, str] = TTLCache(_MAX_ORIGINS, BELIEVED_S, timer=clock.monotonic_s)

    def check(self, key: TransportKey, where: str) -> None:
        """Raise the error of the last handshake while it is believed."""
        if not self._has_any:
            return
        with self._lock:
            reason = self._reasons.get(key)
        if reason is not None:
            raise broken_exchange(TransportError(TransportFailure.TLS, reason), where)

    def note(self, key: TransportKey, reason: str) -> None:
        """A handshake failed; ``reason`` is safe to show."""
        with self._lock:
            self._reasons[key] = reason
            self._has_any = True

    def forget(self, origin: str) -> None:
        """The configuration of an origin has changed."""
        with self._lock:
            for key in [key for key in self._reasons if key.origin == origin]:
                del self._reasons[key]
