"""The world that is measured against: API server, gRPC server and registry of the playground, in another process."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from generated.application_messages_pb2 import Application
from updater.argocd.client import ArgoCDClient
from updater.assembly.connections import build_client
from updater.assembly.surroundings import Surroundings
from updater.playground.fleets import synthetic_fleet
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World
from updater.settings.parts import ConnectionSettings
from updater.transport.redaction import Secret

REPOSITORIES = 50
_STEPS_PER_S = 5
_TAGS = (
    "1.0.0",
    "latest",
    *(f"0.{minor}.{patch}" for minor in range(7) for patch in range(10)),
    *(f"2.{minor}.0-rc.1" for minor in range(10)),
    *(f"main-{number:07x}" for number in range(18)),
)
"""A hundred tags for each repository; the fleet runs 1.0.0 and follows ~1.0, so that nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the peers are. ``registries_conf`` is the text of a file that leads to the registry."""

    web_url: str
    native_address: str
    token: str
    registries_conf: str
    pipe: Connection = field(repr=False, compare=False)

    def asked(self) -> Counter[str]:
        """What the peers were asked since the start: calls of the API by method, requests to the registry."""
        self.pipe.send("asked")
        counts = self.pipe.recv()
        assert isinstance(counts, Counter)
        return counts

    def reconcile(self, per_s: int) -> None:
        """Let the controller touch so many Applications a second from now on, which every Watch hears of."""
        self.pipe.send(per_s)
        self.pipe.recv()

    def connection(self, *, over_grpc_web: bool) -> ConnectionSettings:
        """What an operator would set to reach the API server."""
        return ConnectionSettings(
            server=self.web_url if over_grpc_web else self.native_address,
            is_grpc_web=over_grpc_web,
            is_plaintext=True,
            token=Secret(self.token),
        )

    def client(self, *, over_grpc_web: bool) -> ArgoCDClient:
        """A client as ``run`` has it; closed by the caller."""
        settings = self.connection(over_grpc_web=over_grpc_web)
        return build_client(settings, Surroundings())


@contextmanager
def running_peers(applications: int, repositories: int = REPOSITORIES) -> Iterator[Peers]:
    """Peers with so many Applications of about 4 KiB over so many repositories, until the end of the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, applications, repositories), name="benchmark-peers")
    process.start()
    theirs.close()
    try:
        web_url, native_address, token, registries_conf = ours.recv()
        yield Peers(web_url, native_address, token, registries_conf, ours)
    finally:
        ours.close()
        process.join()


def _serve(pipe: Connection, applications: int, repositories: int) -> None:
    """Serve, and say what was asked, until the other end of the pipe is closed."""
    world = World()
    for sample in synthetic_fleet(applications, repositories=repositories):
        world.add_application(sample.message, base_images=sample.base_images)
    with GrpcWebServer(world) as web, NativeServer(world) as native, PlaygroundRegistry() as registry:
        for number in range(repositories):
            for tag in _TAGS:
                registry.push(f"fleet/service-{number:03}", tag)
        conf = f"registries:\n- name: playground\n  prefix: registry.example.com\n  api_url: {registry.address}\n"
        pipe.send((web.url, native.address, world.issue_token(), conf))
        with ExitStack() as stack:
            while (order := _next_order(pipe)) is not None:
                if isinstance(order, int):
                    stack.enter_context(_reconciling(world, order))
                calls = Counter(call.path.rpartition("/")[2] for call in world.calls)
                pipe.send(calls + Counter({"registry": len(registry.requests)}))


def _next_order(pipe: Connection) -> object:
    """Waits; None at the end of the stream."""
    try:
        return pipe.recv()
    except EOFError:
        return None


@contextmanager
def _reconciling(world: World, per_s: int) -> Iterator[None]:
    """A controller that comes round to each Application in turn and finds that all is well."""
    ended = threading.Event()
    applications, _ = world.applications_and_version()
    keys = itertools.cycle([each.key for each in applications])

    def reconcile() -> None:
        while not ended.wait(1 / _STEPS_PER_S):
            for key in itertools.islice(keys, max(1, per_s // _STEPS_PER_S)):
                world.edit_application(key, _mark_synced)

    thread = threading.Thread(target=reconcile, name="benchmark-controller")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _mark_synced(message: Application) -> None:
    message.status.sync.status = "Synced"
