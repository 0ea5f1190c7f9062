"""A site with a fleet, and the program's runtime in continuous mode inside it; what it said and did can be asked."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hurried_time import HurriedClock

from tests.ports import free_port
from updater.assembly import build_runtime
from updater.assembly.runtime import Runtime
from updater.playground.applications import helm_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World
from updater.ports.log import EventLog, Field
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.telemetry.metrics import PrometheusMetrics
from updater.transport.redaction import Secret

WAIT_S = 120.0
"""For whatever a test waits for, in real seconds."""

GOOD_HOST = "registry.example.com"
BAD_HOST = "hanging.example.com"
THEIRS = ("playground", "MainThread", "Thread-")
"""How the names of threads begin that are not the updater's: servers of the playground run in the same process."""
MOST_THREADS = 24
"""Ten workers, two for jobs, and one each for scheduling, dispatching, watching, time-outs and the like."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the log. ``at_s`` is the program's own time."""

    at_s: float
    level: str
    event: str
    fields: dict[str, Field]


class KeptLog:
    """Every record, shared by the logs bound to it."""

    def __init__(self, clock: HurriedClock, records: list[Record] | None = None, **bound: Field) -> None:
        self.records: list[Record] = [] if records is None else records
        self._clock = clock
        self._bound = bound
        self._arrived = threading.Condition()

    def trace(self, event: str, /, **fields: Field) -> None:
        del event, fields

    def debug(self, event: str, /, **fields: Field) -> None:
        self._keep("debug", event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._keep("info", event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._keep("warning", event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        del exception
        self._keep("error", event, fields)

    def bind(self, **fields: Field) -> EventLog:
        return KeptLog(self._clock, self.records, **{**self._bound, **fields})

    def _keep(self, level: str, event: str, fields: dict[str, Field]) -> None:
        self.records.append(Record(self._clock.elapsed_s, level, event, {**self._bound, **fields}))

    def complaints(self, since_s: float = 0.0) -> list[Record]:
        """Warnings and errors."""
        return [each for each in tuple(self.records) if each.level in ("warning", "error") and each.at_s >= since_s]


@dataclass
class Site:
    """Started by a fixture, which ends everything."""

    folder: Path
    clock: HurriedClock
    port: int = field(default_factory=free_port)
    world: World = field(default_factory=World)
    registry: PlaygroundRegistry = field(default_factory=PlaygroundRegistry)
    bad_registry: PlaygroundRegistry = field(default_factory=PlaygroundRegistry)
    web: GrpcWebServer | None = None
    runtime: Runtime | None = None
    thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.log = KeptLog(self.clock)
        self.metrics = PrometheusMetrics()
        self.token_file = self.folder / "token"
        self.token_file.write_text(self.world.issue_token())

    def add(self, names: list[str], host: str = GOOD_HOST, **changes: Any) -> None:
        """Applications with a repository of their own each, of which 1.0.0 runs."""
        registry = self.registry if host == GOOD_HOST else self.bad_registry
        for name in names:
            registry.push(f"shop/{name}", "1.0.0")
            self.world.add_sample(helm_application(name, image=f"{host}/shop/{name}:1.0.0", **changes))

    def serve(self, tls: ssl.SSLContext | None = None) -> GrpcWebServer:
        """Begin to serve the API, each time at the same address."""
        self.web = GrpcWebServer(self.world, tls=tls, port=self.port)
        return self.web

    def start(
        self,
        url: str = "",
        *,
        ca_file: str = "",
        registry: dict[str, Any] | None = None,
        connection: dict[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """The runtime, as ``run --mode continuous`` has it; ``connection`` are fields of its settings."""
        conf = self.folder / "registries.conf"
        entries = ((GOOD_HOST, self.registry), (BAD_HOST, self.bad_registry))
        lines = (f"- name: {host}\n  prefix: {host}\n  api_url: {each.address}\n  limit: 0\n" for host, each in entries)
        conf.write_text("registries:\n" + "".join(lines))
        interval_s = changes.pop("interval_s", 120.0)
        settings = RunSettings(
            connection=ConnectionSettings(
                server=url or self.api.url,
                token=Secret(""),
                token_file=str(self.token_file),
                server_crt=ca_file,
                **{"is_grpc_web": True, **(connection or {})},
            ),
            registry=RegistrySettings(conf_path=str(conf), interval_s=interval_s, **(registry or {})),
            **{"mode": "continuous", "interval_s": interval_s, "is_warmed_up": False, **changes},
        )
        self.runtime = build_runtime(settings, log=self.log, environment={}, metrics=self.metrics, clock=self.clock)
        self.thread = threading.Thread(target=self.runtime.run, name="round")
        self.thread.start()

    def stop(self) -> None:
        """As a signal does. The servers go on."""
        if self.runtime is None or self.thread is None:
            return
        self.runtime.stop()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        self.runtime.close()
        self.runtime = None

    def close(self) -> None:
        self.bad_registry.faults.clear()
        self.stop()
        if self.web is not None:
            self.web.close()
        self.registry.close()
        self.bad_registry.close()

    @property
    def api(self) -> GrpcWebServer:
        assert self.web is not None
        return self.web

    def release(self, names: list[str], tag: str) -> None:
        """A new version of each appears."""
        for name in names:
            self.registry.push(f"shop/{name}", tag)

    def tag_of(self, name: str) -> str:
        """What the spec says."""
        parameters = self.world.application(name).spec.source.helm.parameters
        return next(entry.value for entry in parameters if entry.name == "image.tag")

    def wait_until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Look again and again, for ``WAIT_S`` real seconds at most."""
        ended = threading.Event()
        for _ in range(int(WAIT_S / 0.02)):
            if condition():
                return
            ended.wait(0.02)
        raise TimeoutError(what or "it did not come to that")

    def wait_for_tags(self, names: list[str], tag: str) -> None:
        self.wait_until(lambda: all(self.tag_of(name) == tag for name in names), f"not everybody got {tag}")

    def wait_for_records(self, event: str, count: int = 1, since_s: float = 0.0) -> None:
        self.wait_until(lambda: self.count(event, since_s) >= count, f"no {count} records {event}")

    def count(self, event: str, since_s: float = 0.0) -> int:
        return sum(each.event == event and each.at_s >= since_s for each in tuple(self.log.records))

    def pass_time(self, seconds: float) -> None:
        """Let so many of the program's seconds go by."""
        over_s = self.clock.elapsed_s + seconds
        self.wait_until(lambda: self.clock.elapsed_s >= over_s)

    def attempts(self, since_s: float = 0.0) -> Counter[str]:
        """How often each Application was begun."""
        return Counter(
            str(each.fields["application"]).rpartition("/")[2]
            for each in tuple(self.log.records)
            if each.event == "application_started" and each.at_s >= since_s
        )

    def most_in_a_minute(self, since_s: float = 0.0) -> int:
        """Of the complaints about one cause, the most that any minute holds."""
        times: dict[tuple[object, ...], list[float]] = {}
        for each in self.log.complaints(since_s):
            cause = (each.event, each.fields.get("code"), each.fields.get("application"))
            times.setdefault(cause, []).append(each.at_s)
        counts = (sum(begun <= at < begun + 60 for at in each) for each in times.values() for begun in each)
        return max(counts, default=0)

    def threads(self) -> list[str]:
        """Threads of the updater, by name."""
        return sorted(each.name for each in threading.enumerate() if not each.name.startswith(THEIRS))
