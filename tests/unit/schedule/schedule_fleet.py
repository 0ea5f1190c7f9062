"""Applications and in-memory ports for tests of scheduling; every wait has a deadline."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from updater.clock import Deadline
from updater.errors import ArgoCDUnavailable, UpdaterError
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceLayout, SourceSnapshot
from updater.model.report import ApplicationReport, Report
from updater.ports.fleet import FleetEvent, FleetEvents, FleetFeed, FleetSource
from updater.ports.log import EventLog, Field
from updater.ports.metrics import Metrics

WAIT_S = 20.0


def application(name: str, version: int = 1, *, repo_url: str = "", **fields: Any) -> ApplicationSnapshot:
    source = SourceSnapshot(repo_url=repo_url or f"https://git.example.com/{name}")
    return ApplicationSnapshot(
        ApplicationKey("ns", name),
        layout=SourceLayout.SINGLE,
        sources=(source,),
        resource_version=str(version),
        **fields,
    )


def admit_all(snapshot: ApplicationSnapshot) -> bool:
    return True


def good(snapshot: ApplicationSnapshot) -> Report:
    return Report((ApplicationReport(snapshot.key),))


def bad(snapshot: ApplicationSnapshot) -> Report:
    return Report((ApplicationReport(snapshot.key, error="it broke", error_code="broken"),))


class MemorySource:
    """A fleet to be listed; ``failures`` are raised first, one each."""

    def __init__(self, *snapshots: ApplicationSnapshot) -> None:
        self.snapshots = snapshots
        self.failures: list[Exception] = []
        self.before: Callable[[], None] = lambda: None
        self.calls = 0
        self._called = threading.Condition()

    def fetch_applications(self, deadline: Deadline) -> tuple[ApplicationSnapshot, ...]:
        with self._called:
            self.calls += 1
            self._called.notify_all()
        self.before()
        if self.failures:
            raise self.failures.pop(0)
        return self.snapshots

    def wait_for_calls(self, count: int) -> None:
        with self._called:
            assert self._called.wait_for(lambda: self.calls >= count, WAIT_S)


class MemoryEvents:
    """One Watch that a test feeds."""

    def __init__(self) -> None:
        self._items: queue.Queue[FleetEvent | UpdaterError | None] = queue.Queue()
        self.is_cancelled = False

    def tell(self, item: FleetEvent | UpdaterError) -> None:
        self._items.put(item)

    def end(self) -> None:
        self._items.put(None)

    def cancel(self) -> None:
        self.is_cancelled = True
        self._items.put(None)

    def __iter__(self) -> Iterator[FleetEvent]:
        while True:
            item = self._items.get(timeout=WAIT_S)
            if item is None:
                return
            if isinstance(item, UpdaterError):
                raise item
            yield item


class MemoryFeed:
    """Hands every Watch that is opened to the test."""

    def __init__(self) -> None:
        self.opened: queue.Queue[tuple[str, MemoryEvents]] = queue.Queue()
        self.refusals: list[UpdaterError] = []

    def watch_applications(self, since_version: str) -> FleetEvents:
        if self.refusals:
            raise self.refusals.pop(0)
        events = MemoryEvents()
        self.opened.put((since_version, events))
        return events

    def next_watch(self) -> tuple[str, MemoryEvents]:
        return self.opened.get(timeout=WAIT_S)


class RecordingMetrics:
    """What was measured: sums by name and labels, and the latest value of what was set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self.observed: list[tuple[str, float]] = []

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        with self._lock:
            where = (name, tuple(labels.items()))
            self.values[where] = self.values.get(where, 0.0) + amount

    def set(self, name: str, value: float, /, **labels: str) -> None:
        with self._lock:
            self.values[name, tuple(labels.items())] = value

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        with self._lock:
            self.observed.append((name, value))

    def drop(self, name: str, /, **labels: str) -> None:
        with self._lock:
            self.values.pop((name, tuple(labels.items())), None)

    def value(self, name: str, **labels: str) -> float | None:
        with self._lock:
            return self.values.get((name, tuple(labels.items())))


class RecordingLog:
    """Every record as (event, fields), shared by the logs bound to it."""

    def __init__(self, records: list[tuple[str, dict[str, Field]]] | None = None, **bound: Field) -> None:
        self.records = [] if records is None else records
        self._bound = bound

    def debug(self, event: str, /, **fields: Field) -> None:
        self.records.append((event, {**self._bound, **fields}))

    info = debug
    warning = debug

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self.records.append((event, {**self._bound, **fields}))

    def bind(self, **fields: Field) -> EventLog:
        return RecordingLog(self.records, **{**self._bound, **fields})

    def count(self, event: str) -> int:
        return sum(each == event for each, _ in tuple(self.records))

    def fields_of(self, event: str) -> dict[str, Field]:
        return next(fields for each, fields in self.records if each == event)


def away(text: str = "connection refused") -> ArgoCDUnavailable:
    return ArgoCDUnavailable(text, where="listing Applications at tests")


_SOURCE: FleetSource = MemorySource()
_FEED: FleetFeed = MemoryFeed()
_METRICS: Metrics = RecordingMetrics()
_LOG: EventLog = RecordingLog()
