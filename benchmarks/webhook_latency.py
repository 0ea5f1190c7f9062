"""From a webhook to ``UpdateSpec`` on the wire, with 1,000 Applications and nothing else to do.

API server and registry are in one process, the updater in another, and the sender of wrong secrets in a third. The
time begins before the webhook is sent and ends when the API server has been called; one clock measures both.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.measuring import costs_by_turns, memory_of, show
from updater.assembly import build_runtime
from updater.model.applications import ANNOTATION_PREFIX, ApplicationKey, ApplicationSnapshot
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions
from updater.planning.watched import watched_repositories
from updater.playground.fleets import synthetic_fleet
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World
from updater.ports.log import EventLog, Field, NullLog
from updater.schedule.users import RepositoryUsers
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.settings.webhooks import WebhookSettings
from updater.transport.redaction import Secret

APPLICATIONS = 1_000
FEW_USERS, MANY_USERS = 1, 20
EVENTS = 300
"""Each about another repository, one after the other: what is merged is not measured."""
SECRET = "benchmark"  # noqa: S105 - of nothing but this measurement
FLOOD_PER_S = 1_000
LARGE_FLEET, LARGE_REPOSITORIES = 50_000, 2_000
_WORKERS = 10
_KNOCKERS = 8
_PATIENCE_S = 60.0
_HOST = "registry.example.com"


@dataclass(frozen=True, slots=True)
class Peers:
    """Where API server and registry are. ``registries_conf`` is the text of a file that leads to the registry."""

    web_url: str
    token: str
    registries_conf: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Seconds from the webhook to its answer, to the first and to the last ``UpdateSpec``."""

    answer_s: float
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """A push to one repository that so many Applications use."""

    port: int
    repository: str
    tag: str
    users: int


class _FirstAttempts(NullLog):
    """A log that knows when every Application was attempted once."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self._left = APPLICATIONS
        self._lock = threading.Lock()

    def info(self, event: str, /, **fields: Field) -> None:
        del fields
        if event == "application_succeeded":
            with self._lock:
                self._left -= 1
                if not self._left:
                    self.is_over.set()

    def bind(self, **fields: Field) -> EventLog:
        del fields
        return self


def main() -> None:
    _measure_index()
    for users in (FEW_USERS, MANY_USERS):
        repositories = APPLICATIONS // users
        events = min(EVENTS, repositories)
        print(f"webhook_latency: {APPLICATIONS} Applications, {users} to a repository, {events} events")
        with _running_world(repositories) as (peers, pipe), _running_updater(peers) as port:
            _show("", _measure(pipe, port, users, "1.0.1", events))
            if users == FEW_USERS:
                with _flood(port) as rate:
                    _show(", secrets guessed meanwhile", _measure(pipe, port, users, "1.0.2", events))
                print(f"  wrong secrets answered per second meanwhile: {rate():.0f}")


def _measure_index() -> None:
    """What it takes to know who uses a repository: after each List, and for each event."""
    print(f"webhook_latency: an index over {LARGE_FLEET} Applications, {2 * LARGE_REPOSITORIES} repositories")
    users, memory, options = RepositoryUsers(), PlanMemory(), PlanOptions()
    fleet = [_large_application(number) for number in range(LARGE_FLEET)]

    def index() -> None:
        for snapshot in fleet:
            users.put(str(snapshot.key), watched_repositories(snapshot, options, memory))

    def look_up() -> None:
        for number in range(LARGE_REPOSITORIES):
            assert users.find("ghcr.io", f"acme/service-{number}").keys

    held = memory_of(index).kept_bytes
    costs = costs_by_turns(5, index, look_up)
    show("after a List that changes nothing, CPU", [1000 * cost.cpu_s for cost in costs[0]], "ms")
    show("one look-up, CPU", [1_000_000 * cost.cpu_s / LARGE_REPOSITORIES for cost in costs[1]], "us")
    print(f"  memory: {held / 1_048_576:.1f} MiB")


def _large_application(number: int) -> ApplicationSnapshot:
    """Two images, each used by as many others as there are Applications to a repository."""
    group = number % LARGE_REPOSITORIES
    images = f"a=ghcr.io/acme/service-{group}:~1.0,b=ghcr.io/acme/proxy-{group}:~1.0"
    key = ApplicationKey("argocd", f"app-{number:05}")
    return ApplicationSnapshot(key, annotations={f"{ANNOTATION_PREFIX}image-list": images})


def _measure(pipe: Connection, port: int, users: int, tag: str, events: int) -> list[Answered]:
    found: list[Answered] = []
    for number in range(events):
        pipe.send(Event(port, f"fleet/service-{number:03}", tag, users))
        found.append(pipe.recv())
    return found


def _show(label: str, found: Sequence[Answered]) -> None:
    show(f"to the answer{label}", [1000 * each.answer_s for each in found], "ms")
    show(f"to the first write{label}", [1000 * each.first_s for each in found], "ms")
    show(f"to the last write{label}", [1000 * each.last_s for each in found], "ms")
    slowest = sorted(each.last_s for each in found)
    print(f"  to the last write{label}, p99: {1000 * slowest[int(len(slowest) * 0.99)]:.1f} ms")


@contextmanager
def _running_updater(peers: Peers) -> Iterator[int]:
    """``run --mode continuous --enable-webhook`` in this process, once its first round is over; its port."""
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "registries.conf")
        conf.write_text(peers.registries_conf, encoding="utf-8")
        settings = RunSettings(
            connection=ConnectionSettings(
                peers.web_url, is_grpc_web=True, is_plaintext=True, token=Secret(peers.token)
            ),
            registry=RegistrySettings(conf_path=str(conf), interval_s=3_600.0),
            interval_s=3_600.0,
            mode="continuous",
            is_warmed_up=True,
            max_concurrency=_WORKERS,
            webhooks=WebhookSettings(port=0, secrets={"native": Secret(SECRET)}, tls_folder=folder),
        )
        log = _FirstAttempts()
        runtime = build_runtime(settings, log=log)
        with closing(runtime), ThreadPoolExecutor(1) as pool:
            runtime.open()
            running = pool.submit(runtime.run)
            assert log.is_over.wait(_PATIENCE_S)
            yield runtime.addresses["webhook"].port
            runtime.stop()
            assert running.result(_PATIENCE_S)


@contextmanager
def _running_world(repositories: int) -> Iterator[tuple[Peers, Connection]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, repositories), name="benchmark-world")
    process.start()
    theirs.close()
    try:
        yield ours.recv(), ours
    finally:
        ours.close()
        process.join()


def _serve(pipe: Connection, repositories: int) -> None:
    """Carry out events until the other end of the pipe is closed."""
    world = World()
    for sample in synthetic_fleet(APPLICATIONS, repositories=repositories):
        world.add_application(sample.message, base_images=sample.base_images)
    with GrpcWebServer(world) as web, PlaygroundRegistry() as registry:
        for number in range(repositories):
            registry.push(f"fleet/service-{number:03}", "1.0.0")
        conf = f"registries:\n- name: playground\n  prefix: {_HOST}\n  api_url: {registry.address}\n  limit: 0\n"
        pipe.send(Peers(web.url, world.issue_token(), conf))
        with suppress(EOFError):
            while True:
                pipe.send(_carry_out(pipe.recv(), world, registry))


def _carry_out(event: Event, world: World, registry: PlaygroundRegistry) -> Answered:
    registry.push(event.repository, event.tag)
    before = len(world.calls_of("UpdateSpec"))
    began_s = time.perf_counter()
    _send(event.port, {"name": f"{_HOST}/{event.repository}", "tag": event.tag}, SECRET)
    answered_s = time.perf_counter()
    assert world.wait_for_calls("UpdateSpec", before + 1, _PATIENCE_S)
    first_s = time.perf_counter()
    assert world.wait_for_calls("UpdateSpec", before + event.users, _PATIENCE_S)
    return Answered(answered_s - began_s, first_s - began_s, time.perf_counter() - began_s)


def _send(port: int, body: object, secret: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    with closing(connection):
        connection.request("POST", "/webhook?type=native", json.dumps(body), {"X-Webhook-Secret": secret})
        answer = connection.getresponse()
        answer.read()
        return answer.status


@contextmanager
def _flood(port: int) -> Iterator[Callable[[], float]]:
    """Wrong secrets from another process until the end of the block; then the number answered per second is known."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_knock_forever, args=(theirs, port), name="benchmark-flood")
    process.start()
    theirs.close()
    rates: list[float] = []
    ours.recv()
    try:
        yield lambda: rates[0]
    finally:
        ours.send("enough")
        rates.append(ours.recv())
        ours.close()
        process.join()


def _knock_forever(pipe: Connection, port: int) -> None:
    """At most ``FLOOD_PER_S`` in a second; says when it begins, and at the end what it came to."""
    began_s, counts = time.perf_counter(), [0] * _KNOCKERS

    def knock(number: int) -> None:
        while not pipe.poll():
            due_s = began_s + (counts[number] + 1) * _KNOCKERS / FLOOD_PER_S
            time.sleep(max(0.0, due_s - time.perf_counter()))
            assert _send(port, {}, "wrong") == http.HTTPStatus.BAD_REQUEST
            counts[number] += 1

    pipe.send("begun")
    with ThreadPoolExecutor(_KNOCKERS) as pool:
        for future in [pool.submit(knock, number) for number in range(_KNOCKERS)]:
            future.result()
    pipe.recv()
    pipe.send(sum(counts) / (time.perf_counter() - began_s))


if __name__ == "__main__":
    main()
