"""A whole round over 1,000 and 5,000 Applications that share 50 repositories and are all up to date.

First the phases on their own, then ``Runtime.run_once``, which is what ``run --once`` does: ask for the version, list,
plan, poll the registry, choose, decide, report. Every round begins with fresh objects, so nothing is remembered.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.measuring import Cost, cost_of, show
from benchmarks.peers import Peers, running_peers
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.assembly import build_runtime
from updater.assembly.registries import build_registries
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline, SystemClock
from updater.engine.facts import gather
from updater.engine.polls import Poller
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions, plan_application
from updater.ports.log import NullLog
from updater.ports.progress import NoProgress
from updater.rules.decisions import decide
from updater.settings.parts import RegistrySettings, RunSettings

SIZES = (1_000, 5_000)
ROUNDS = 7
WORKERS = 10
_TIMEOUT_S = 120.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Site:
    """What an operator would have set up."""

    peers: Peers
    registries_conf: str

    @property
    def settings(self) -> RunSettings:
        return RunSettings(
            connection=self.peers.connection(over_grpc_web=True),
            registry=RegistrySettings(conf_path=self.registries_conf),
            max_concurrency=WORKERS,
        )


def main() -> None:
    for size in SIZES:
        with running_peers(size) as peers, tempfile.TemporaryDirectory() as folder:
            conf = Path(folder, "registries.conf")
            conf.write_text(peers.registries_conf, encoding="utf-8")
            print(f"whole_round: {size} Applications over gRPC-Web, {ROUNDS} rounds")
            _show_rounds(Site(peers, str(conf)), size)


def _show_rounds(site: Site, size: int) -> None:
    phases: dict[str, list[Cost]] = {}
    for _ in range(1 + ROUNDS):
        for phase, cost in (*_phases(site, size).items(), ("run_once, the whole of it", _whole(site, size))):
            phases.setdefault(phase, []).append(cost)
    for phase, costs in phases.items():
        # The first round only warms up what a process does once, such as imports.
        counted = costs[1:]
        show(f"{phase}, CPU", [1000 * cost.cpu_s for cost in counted], "ms")
        show(f"{phase}, wall", [1000 * cost.wall_s for cost in counted], "ms")


def _phases(site: Site, size: int) -> dict[str, Cost]:
    """The cost of each phase of one round."""
    clock, log, memory, costs = SystemClock(), NullLog(), PlanMemory(), dict[str, Cost]()
    with closing(site.peers.client(over_grpc_web=True)) as client:
        fleet = ArgoCDFleet(client, FleetOptions())
        applications = _timed(costs, "list", lambda: fleet.fetch_applications(Deadline.after(clock, _TIMEOUT_S)))
    images = _timed(
        costs,
        "plan",
        lambda: [
            image
            for application in applications
            for image in plan_application(application, PlanOptions(), memory).images
        ],
    )
    registries = build_registries(site.settings.registry, Surroundings())
    with closing(registries.client) as registry:
        poller = Poller(registry, registry, Deadline.after(clock, _TIMEOUT_S), log, threading.Event())
        facts = _timed(costs, "gather", lambda: gather(images, poller, memory.selector, workers=WORKERS))
    decisions = _timed(
        costs, "choose and decide", lambda: [decide(image, facts.outcome_for(image)) for image in images]
    )
    assert [decision.reason.value for decision in decisions] == ["up_to_date"] * size
    return costs


def _whole(site: Site, size: int) -> Cost:
    with closing(build_runtime(site.settings, log=NullLog(), progress=NoProgress(), environment={})) as runtime:
        costs: dict[str, Cost] = {}
        report = _timed(costs, "round", runtime.run_once)
    assert (report.totals["images_considered"], report.totals["errors"]) == (size, 0)
    return costs["round"]


def _timed(costs: dict[str, Cost], phase: str, work: Callable[[], Result]) -> Result:
    """The result of ``work``; its cost goes into ``costs``."""
    held: list[Result] = []
    costs[phase] = cost_of(lambda: held.append(work()))
    return held[0]


if __name__ == "__main__":
    main()
