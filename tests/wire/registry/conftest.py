from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.model.images import Candidate, Inspection
from updater.model.references import ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.ports.log import Field, NullLog
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.registry.options import RegistryOptions
from updater.telemetry.metrics import PrometheusMetrics

HOST = "reg.test"
START = datetime(2026, 3, 1, tzinfo=UTC)


class HastyClock(SystemClock):
    """The real clock, but waiting takes no time: it moves the clock forward. ``waits`` is what was waited."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_s = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s

    def wait_s(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.ahead_s += seconds
        return True


class Remarks(NullLog):
    """Keeps warnings as their event and digest, for tests that say what is remarked."""

    def __init__(self) -> None:
        self.remarks: list[tuple[str, Field]] = []

    def warning(self, event: str, /, **fields: Field) -> None:
        self.remarks.append((event, fields.get("digest")))


class Counts:
    """Measurements by name and label values; the real ones beside it raise for what their catalogue does not know."""

    def __init__(self) -> None:
        self._real = PrometheusMetrics()
        self._lock = threading.Lock()
        self.values: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        self._real.increase(name, amount, **labels)
        self._add(name, amount, labels)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        self._real.set(name, value, **labels)
        with self._lock:
            self.values[name, *labels.values()] = value

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        self._real.observe(name, value, **labels)
        self._add(name, 1.0, labels)

    def drop(self, name: str, /, **labels: str) -> None:
        self._real.drop(name, **labels)

    def _add(self, name: str, amount: float, labels: dict[str, str]) -> None:
        with self._lock:
            self.values[name, *labels.values()] += amount


class Client:
    """A registry client and the clock it lives by, with short names for what tests do all the time."""

    def __init__(self, client: RegistryClient, clock: HastyClock, log: Remarks, counts: Counts) -> None:
        self.client = client
        self.counts = counts.values
        self.clock = clock
        self.log = log.remarks

    def tags(self, name: str = "team/app", *, within_s: float = 30.0) -> tuple[str, ...]:
        deadline = Deadline.after(self.clock, within_s)
        return self.client.fetch_tags(ImageRepository(HOST, name), deadline).tags

    def candidates(
        self,
        *tags: str,
        platforms: tuple[str, ...] = (),
        wants_created: bool = True,
        name: str = "team/app",
        within_s: float = 60.0,
    ) -> tuple[Candidate, ...]:
        deadline = Deadline.after(self.clock, within_s)
        inspection = Inspection(platforms, wants_created)
        return self.client.fetch_candidates(ImageRepository(HOST, name), tags, inspection, deadline)

    def digest(self, tag: str) -> str:
        """What the digest strategy asks, with the usual filter by platform."""
        (candidate,) = self.candidates(tag, platforms=("linux/amd64",), wants_created=False)
        return candidate.digest

    def statuses(self) -> dict[str, int]:
        """How often the registry answered with which status."""
        return {key[2]: int(count) for key, count in self.counts.items() if key[0] == "registry_http_status_total"}

    def polls(self) -> dict[str, int]:
        """How tag lists were had."""
        return {key[2]: int(count) for key, count in self.counts.items() if key[0] == "registry_tags_polls_total"}

    def forget(self, name: str = "team/app") -> None:
        self.client.forget_tags(ImageRepository(HOST, name))


@pytest.fixture
def registry() -> Iterator[PlaygroundRegistry]:
    with PlaygroundRegistry() as playground:
        playground.push("team/app", "1.0")
        playground.push("team/app", "1.1")
        yield playground


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients of a registry: ``connect(registry, login="user:password", page_size=2, is_insecure=True)``.

    Keywords are fields of the endpoint or of the options.
    """
    made: list[RegistryClient] = []

    def make(playground: PlaygroundRegistry, login: str = "", **fields: Any) -> Client:
        of_options = {key: fields.pop(key) for key in tuple(fields) if key in RegistryOptions.__dataclass_fields__}
        if login:
            fields["credentials"] = parse_credential_source("env:LOGIN")
        endpoint = Endpoint(name="reg", prefix=HOST, api_url=playground.address, **fields)
        clock = HastyClock()
        reader = CredentialReader({"LOGIN": login})
        options, log, counts = RegistryOptions(**of_options), Remarks(), Counts()
        client = RegistryClient(EndpointTable([endpoint]), reader, clock, options=options, log=log, metrics=counts)
        made.append(client)
        return Client(client, clock, log, counts)

    yield make
    for client in made:
        client.close()
