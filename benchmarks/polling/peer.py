"""The registry that is polled: that of the playground, in a process of its own, counting what is on its way."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from updater.playground.registry import PlaygroundRegistry
from updater.playground.registry_http import HttpAnswer, HttpAsked

_KINDS = ("tags", "manifests", "blobs", "token")
_FIRST_PUSH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests by method and kind, and how many the registry had at the same time at most."""

    asked: Counter[str]
    most_at_once: int

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.asked.items()))
        return f"{self.asked.total()} requests ({kinds or 'none'}), at most {self.most_at_once} at once"


class TallyingRegistry(PlaygroundRegistry):
    """Counts what is on its way."""

    def __init__(self) -> None:
        # Before the base, whose server may be asked at once.
        self._counting = threading.Lock()
        self._running = self._most_at_once = self._tallied = 0
        super().__init__()

    def answer(self, asked: HttpAsked) -> HttpAnswer:
        with self._counting:
            self._running += 1
            self._most_at_once = max(self._most_at_once, self._running)
        try:
            return super().answer(asked)
        finally:
            with self._counting:
                self._running -= 1

    def take_tally(self) -> Tally:
        """Since the last one."""
        fresh = self.requests[self._tallied :]
        self._tallied += len(fresh)
        with self._counting:
            most, self._most_at_once = self._most_at_once, self._running
        return Tally(Counter(f"{asked.method} {_kind(asked.path)}" for asked in fresh), most)

    def fill(self, repository: str, tags: Sequence[str]) -> None:
        """Push every tag, each a minute younger than the one before it."""
        for number, tag in enumerate(tags):
            created = _FIRST_PUSH + timedelta(minutes=number)
            self.push(repository, tag, created=f"{created:%Y-%m-%dT%H:%M:%SZ}")

    def answer_after(self, seconds: float) -> None:
        """Every answer comes late from now on."""
        self.faults.delay(seconds)


@dataclass(frozen=True, slots=True)
class RegistryPeer:
    """The registry's process. ``order`` calls a method of ``TallyingRegistry`` there."""

    address: str
    pipe: Connection

    def order(self, method: str, *values: object) -> Any:
        """What the method returned."""
        self.pipe.send((method, values))
        return self.pipe.recv()

    def take_tally(self) -> Tally:
        """What was asked since the last tally."""
        tally = self.order("take_tally")
        assert isinstance(tally, Tally)
        return tally


@contextmanager
def running_registry() -> Iterator[RegistryPeer]:
    """An empty registry until the end of the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), name="benchmark-registry")
    process.start()
    theirs.close()
    try:
        yield RegistryPeer(ours.recv(), ours)
    finally:
        ours.close()
        process.join()
        process.close()


def _serve(pipe: Connection) -> None:
    """Carry out orders until the other end of the pipe is closed."""
    with TallyingRegistry() as registry:
        pipe.send(registry.address)
        while True:
            try:
                method, values = pipe.recv()
            except EOFError:
                return
            pipe.send(getattr(registry, method)(*values))


def _kind(path: str) -> str:
    return next((kind for kind in _KINDS if f"/{kind}" in path), "ping")
