"""From a pushed tag to the spec by polling alone: 200 Applications, ten to a repository, continuous mode.

A poll that finds a changed list nudges every Application that uses it, so the last of the ten should follow right after
the first. Everything runs in this process, because what counts is time and not work.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.measuring import show
from updater.assembly import build_runtime
from updater.clock import SystemClock
from updater.playground.applications import helm_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.transport.redaction import Secret

REPOSITORIES = 20
USERS = 10
INTERVAL_S = 30.0
_HOST = "registry.example.com"
_LOOK_EVERY_S = 0.05


class Fleet:
    """The world, and what it takes to see a new tag in it."""

    def __init__(self, world: World, registry: PlaygroundRegistry) -> None:
        self._world = world
        self._registry = registry
        for number in range(REPOSITORIES * USERS):
            image = f"{_HOST}/{self.repository(number % REPOSITORIES)}:1.0.0"
            world.add_sample(helm_application(f"app-{number:03}", image=image))
        for number in range(REPOSITORIES):
            registry.push(self.repository(number), "1.0.0")

    @staticmethod
    def repository(number: int) -> str:
        return f"fleet/service-{number:02}"

    def push(self, number: int) -> None:
        self._registry.push(self.repository(number), "1.0.1")

    def updated(self, number: int) -> int:
        """How many users of a repository have the new tag in their spec."""
        return sum(self._has_new(f"app-{user:03}") for user in range(number, REPOSITORIES * USERS, REPOSITORIES))

    def _has_new(self, name: str) -> bool:
        return any(entry.value == "1.0.1" for entry in self._world.application(name).spec.source.helm.parameters)


def main() -> None:
    print(f"tag_latency: {REPOSITORIES} repositories with {USERS} Applications each, every {INTERVAL_S:.0f} s")
    with running() as fleet:
        clock = SystemClock()
        # By then every Application has been attempted once, and the second attempts are spread by their jitter.
        clock.wait_s(1.2 * INTERVAL_S)
        first, last = latencies(fleet, clock)
    show("from the push to the first spec", first, "s")
    show("from the push to the last spec", last, "s")


def latencies(fleet: Fleet, clock: SystemClock) -> tuple[list[float], list[float]]:
    """Seconds by repository, for the first and for the last of its users. Pushes come half a second apart."""
    pushed: dict[int, float] = {}
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    while len(last) < REPOSITORIES:
        if len(pushed) < REPOSITORIES and time.monotonic() >= max(pushed.values(), default=0.0) + 0.5:
            number = len(pushed)
            fleet.push(number)
            pushed[number] = time.monotonic()
        for number, began_s in pushed.items():
            count = fleet.updated(number) if number not in last else 0
            if count:
                first.setdefault(number, time.monotonic() - began_s)
            if count == USERS:
                last[number] = time.monotonic() - began_s
        clock.wait_s(_LOOK_EVERY_S)
    return list(first.values()), list(last.values())


@contextmanager
def running() -> Iterator[Fleet]:
    """A fleet and a runtime in continuous mode, until the end of the block."""
    world = World()
    with tempfile.TemporaryDirectory() as folder, GrpcWebServer(world) as web, PlaygroundRegistry() as registry:
        fleet = Fleet(world, registry)
        conf = Path(folder, "registries.conf")
        conf.write_text(
            f"registries:\n- name: playground\n  prefix: {_HOST}\n  api_url: {registry.address}\n", encoding="utf-8"
        )
        settings = RunSettings(
            connection=ConnectionSettings(server=web.url, is_grpc_web=True, token=Secret(world.issue_token())),
            registry=RegistrySettings(conf_path=str(conf), interval_s=INTERVAL_S),
            interval_s=INTERVAL_S,
            mode="continuous",
            is_warmed_up=False,
        )
        with closing(build_runtime(settings, log=NullLog(), environment={})) as runtime:
            thread = threading.Thread(target=runtime.run, name="round")
            thread.start()
            try:
                yield fleet
            finally:
                runtime.stop()
                thread.join()


if __name__ == "__main__":
    main()
