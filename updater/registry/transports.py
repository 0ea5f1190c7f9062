"""HTTP transports by whom they reach and under which trust, and the janitor that lets idle connections go.

Rules: ``registries.md`` 5.5. A transport that is replaced finishes what runs on it and is closed by its last user. Why
there is a janitor: many short bursts leave sockets behind, and the range of local ports runs out.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from updater.clock import Clock
from updater.errors import RegistryUnreachable
from updater.registry.gates import Route
from updater.transport.http import HttpOptions, HttpTransport, Watchdog
from updater.transport.trust import TlsOptions


@dataclass(frozen=True, slots=True)
class TransportKey:
    """``tls`` are the inputs of the endpoint, also for its token service and for where it redirects to."""

    route: Route
    origin: str
    tls: TlsOptions


@dataclass(slots=True)
class _Kept:
    transport: HttpTransport
    users: int = 0
    is_retired: bool = False


class Transports:
    """Transports made on first use, the least recently used let go when there are too many. Thread-safe."""

    def __init__(self, options: HttpOptions, clock: Clock, max_transports: int) -> None:
        self._options = options
        self._clock = clock
        self._max = max_transports
        self._watchdog = Watchdog()
        self._lock = threading.Lock()
        self._kept: LRUCache[TransportKey, _Kept] = LRUCache(max_transports)
        self._retired: list[_Kept] = []
        self._is_closed = False

    @contextmanager
    def lend(self, key: TransportKey) -> Iterator[HttpTransport]:
        """A transport for one exchange; raises ``RegistryUnreachable`` after ``close``."""
        kept, evicted = self._take(key)
        _close_all(evicted)
        try:
            yield kept.transport
        finally:
            self._give_back(kept)

    def retire(self, concerns: Callable[[TransportKey], bool] = lambda _key: True) -> None:
        """Let go of transports: their idle connections now, the others when their exchange has ended."""
        with self._lock:
            unused = [self._retire(self._kept.pop(key)) for key in list(self._kept) if concerns(key)]
        _close_all([kept for kept in unused if kept is not None])

    def close(self) -> None:
        """Cancel what runs and close every connection. Idempotent."""
        with self._lock:
            self._is_closed = True
            everything = [*self._kept.values(), *self._retired]
            self._kept.clear()
            self._retired.clear()
        _close_all(everything)
        self._watchdog.close()

    @property
    def watchdog(self) -> Watchdog:
        """What watches the deadlines of exchanges."""
        return self._watchdog

    def _take(self, key: TransportKey) -> tuple[_Kept, list[_Kept]]:
        evicted: list[_Kept] = []
        with self._lock:
            if self._is_closed:
                raise RegistryUnreachable("the registry client is closed", where=key.origin, code="cancelled")
            kept = self._kept.get(key)
            if kept is None:
                if len(self._kept) >= self._max:
                    unused = self._retire(self._kept.popitem()[1])
                    evicted = [unused] if unused is not None else []
                options = dataclasses.replace(self._options, tls=key.tls)
                kept = self._kept[key] = _Kept(HttpTransport(options, self._clock, self._watchdog))
            kept.users += 1
        return kept, evicted

    def _retire(self, kept: _Kept) -> _Kept | None:
        """Under the lock: mark it, and return it when nobody uses it."""
        kept.is_retired = True
        if not kept.users:
            return kept
        self._retired.append(kept)
        return None

    def _give_back(self, kept: _Kept) -> None:
        with self._lock:
            kept.users -= 1
            is_done = kept.is_retired and not kept.users
            if is_done and kept in self._retired:
                self._retired.remove(kept)
        if is_done:
            kept.transport.close()


class Janitor:
    """Calls ``sweep`` every ``period_s`` seconds in a thread of its own until ``close``; zero never."""

    def __init__(self, sweep: Callable[[], None], period_s: float) -> None:
        self._sweep = sweep
        self._period_s = period_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-janitor", daemon=True)
        if period_s > 0:
            self._thread.start()

    def close(self) -> None:
        """End the thread. Idempotent."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            self._sweep()


def _close_all(kept: list[_Kept]) -> None:
    for one in kept:
        one.transport.close()
