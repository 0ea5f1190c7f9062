"""The webhook application with everything around it that is not the outside world."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.test import Client

from sidecar.webhooks.application import WebhookApplication
from sidecar.webhooks.processor import EventProcessor
from sidecar.webhooks.receiver import Receiver
from sidecar.webhooks.routing import Routing
from updater.clock import Clock, SystemClock
from updater.ports.log import EventLog, Field, NullLog
from updater.ports.nudges import Nudges, PushEvent

ONE = PushEvent("docker.io", "acme/api", "1")
ONE_BODY = b'{"push_data":{"tag":"1"},"repository":{"repo_name":"acme/api"}}'


class RecordedMetrics:
    """Sums by name and labels."""

    def __init__(self) -> None:
        self.sums: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        self.sums[name, tuple(sorted(labels.items()))] += int(amount)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        self.sums[name, tuple(sorted(labels.items()))] = int(value)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        raise AssertionError("nothing here takes time")

    def drop(self, name: str, /, **labels: str) -> None:
        raise AssertionError("nothing here goes away")

    def of(self, name: str, **labels: str) -> int:
        return self.sums[name, tuple(sorted(labels.items()))]

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Type and result of every webhook, as counted."""
        found = [
            (dict(labels), count) for (name, labels), count in self.sums.items() if name.endswith("requests_total")
        ]
        return [(labels["type"], labels["result"]) for labels, count in found for _ in range(count)]


@dataclass
class RecordedLog:
    """Records as (level, event, fields), bound fields included."""

    records: list[tuple[str, str, Mapping[str, Field]]] = field(default_factory=list)
    bound: Mapping[str, Field] = field(default_factory=dict)

    def debug(self, event: str, /, **fields: Field) -> None:
        self._add("debug", event, fields)

    def trace(self, event: str, /, **fields: Field) -> None:
        self._add("trace", event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._add("info", event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._add("warning", event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self._add("error", event, fields)

    def bind(self, **fields: Field) -> EventLog:
        return RecordedLog(self.records, {**self.bound, **fields})

    def _add(self, level: str, event: str, fields: Mapping[str, Field]) -> None:
        self.records.append((level, event, {**self.bound, **fields}))

    def events(self, level: str) -> list[str]:
        return [event for each, event, _ in self.records if each == level]


class HeardNudges:
    """Keeps what is handed on; ``gate`` closed holds the thread that hands on."""

    def __init__(self) -> None:
        self.heard: list[PushEvent] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self._grown = threading.Condition()

    def nudge(self, event: PushEvent) -> int:
        self.entered.set()
        assert self.gate.wait(20)
        with self._grown:
            self.heard.append(event)
            self._grown.notify_all()
        return 1

    def wait_for(self, count: int) -> bool:
        with self._grown:
            return self._grown.wait_for(lambda: len(self.heard) >= count, 20)

    def wait_settled(self, timeout_s: float) -> bool:
        return True


@dataclass
class Place:
    """One webhook server without its socket. The processor is not started."""

    application: WebhookApplication
    receiver: Receiver
    processor: EventProcessor
    metrics: RecordedMetrics
    client: Client


def made_place(
    routing: Routing,
    *,
    nudges: Nudges | None = None,
    log: EventLog | None = None,
    clock: Clock | None = None,
    per_hour: int = 0,
) -> Place:
    clock, log, metrics = clock or SystemClock(), log or NullLog(), RecordedMetrics()
    processor = EventProcessor(nudges or HeardNudges(), per_hour, clock, log, metrics)
    receiver = Receiver(routing, processor, clock, log, metrics)
    application = WebhookApplication(receiver)
    return Place(application, receiver, processor, metrics, Client(application.wsgi(log)))
