"""What polling a registry costs: a fleet by version, one repository by age of its builds, and a day of polls in a row.

The registry answers 50 ms late except during the day, so that requests overlap as they do over a network. CPU per
request is that of asking and choosing; planning and deciding, which ask nobody, are measured apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Cost, cost_of, result_of, show
from benchmarks.polling.peer import RegistryPeer, Tally, running_registry
from benchmarks.polling.soak import Soak, holdings
from benchmarks.polling.updater import (
    INTERVAL_S,
    VERSIONS,
    Updater,
    application_by_age,
    fleet_by_version,
    repository_name,
)
from updater.model.applications import ApplicationSnapshot

APPLICATIONS, REPOSITORIES = 1_000, 200
BUILDS = 1_000
ROUNDS = 7
SLOW_ROUNDS = 3
"""Of what takes ten seconds, because few requests are on their way to one repository or token service."""
DELAY_S = 0.05
LOGIN = "fleet:password"
DAY_REPOSITORIES = 50
DAY_ROUNDS = int(86_400 / INTERVAL_S)

Fleet = Sequence[ApplicationSnapshot]


@dataclass(frozen=True, slots=True)
class Poll:
    """One round: what asking cost us, and planning and deciding, and what the registry saw of it."""

    cost: Cost
    thinking: Cost
    tally: Tally


def main() -> None:
    # First, because what later measurements leave free in the heap would hide what this one takes.
    print(f"registry_polls: {DAY_ROUNDS} rounds in a row, 24 hours, {DAY_REPOSITORIES} repositories, no delay")
    with running_registry() as peer:
        _measure_day(peer)
    print(f"registry_polls: {APPLICATIONS} Applications, {2 * APPLICATIONS} images, {REPOSITORIES} repositories")
    with running_registry() as peer:
        _measure_fleet(peer)
    print(f"registry_polls: newest-build among {BUILDS} builds, facts kept on disk")
    with running_registry() as peer:
        _measure_builds(peer)


def _measure_fleet(peer: RegistryPeer) -> None:
    for number in range(REPOSITORIES):
        peer.order("fill", repository_name(number), VERSIONS)
    peer.order("answer_after", DELAY_S)
    fleet = fleet_by_version(APPLICATIONS, REPOSITORIES)
    # The first life only warms up what a process does once, such as imports.
    lives = [_two_polls_of_one_life(peer, fleet) for _ in range(1 + ROUNDS)][1:]
    _show("cold", [cold for cold, _ in lives])
    _show("again within the interval", [again for _, again in lives])
    peer.order("require_bearer", *LOGIN.split(":"))
    lives = [_two_polls_of_one_life(peer, fleet, LOGIN) for _ in range(SLOW_ROUNDS)]
    _show("cold, with a token for each repository", [cold for cold, _ in lives])
    # Twenty tokens a second is what we ask of a token service. Waking up for each from idleness costs processor time
    # that is no work of ours; without the waits only the work is left.
    lives = [_two_polls_of_one_life(peer, fleet, LOGIN, skips_waits=True) for _ in range(ROUNDS)]
    _show("the same at full speed", [cold for cold, _ in lives])


def _two_polls_of_one_life(
    peer: RegistryPeer, fleet: Fleet, login: str = "", *, skips_waits: bool = False
) -> tuple[Poll, Poll]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Updater(peer, Path(folder), login=login, skips_waits=skips_waits)) as updater,
    ):
        return _poll(peer, updater, fleet), _poll(peer, updater, fleet)


def _measure_builds(peer: RegistryPeer) -> None:
    builds = [f"b{number}" for number in range(BUILDS)]
    peer.order("fill", "fleet/builds", builds)
    peer.order("answer_after", DELAY_S)
    fleet = [application_by_age("fleet/builds", builds[-1])]
    lives = [_polls_of_two_lives(peer, fleet) for _ in range(SLOW_ROUNDS)]
    _show("cold", [cold for cold, _ in lives])
    _show("after a restart", [restarted for _, restarted in lives])


def _polls_of_two_lives(peer: RegistryPeer, fleet: Fleet) -> tuple[Poll, Poll]:
    with tempfile.TemporaryDirectory() as folder:
        with closing(Updater(peer, Path(folder), keeps_facts=True)) as updater:
            cold = _poll(peer, updater, fleet)
        with closing(Updater(peer, Path(folder), keeps_facts=True)) as updater:
            return cold, _poll(peer, updater, fleet)


def _measure_day(peer: RegistryPeer) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Updater(peer, Path(folder), keeps_facts=True)) as updater:
        soak = Soak(peer, updater, DAY_REPOSITORIES)
        print(f"  before: {holdings()}")
        for label, rounds in (("first round", 1), ("half a day", DAY_ROUNDS // 2 - 1), ("a day", DAY_ROUNDS // 2)):
            print(f"  {label}: {soak.poll(rounds)}")
        print(f"  {peer.take_tally().asked.total()} requests")
    print(f"  closed: {holdings()}")


def _poll(peer: RegistryPeer, updater: Updater, fleet: Fleet) -> Poll:
    peer.take_tally()
    images, planning = result_of(lambda: updater.plan(fleet))
    outcomes, asking = result_of(lambda: updater.ask(images))
    tally = peer.take_tally()
    deciding = cost_of(lambda: updater.check(outcomes))
    return Poll(asking, Cost(planning.cpu_s + deciding.cpu_s, planning.wall_s + deciding.wall_s), tally)


def _show(label: str, polls: Sequence[Poll]) -> None:
    for text in dict.fromkeys(str(poll.tally) for poll in polls):
        print(f"  {label}: {text}")
    show(f"{label}, wall", [poll.cost.wall_s for poll in polls], "s")
    show(f"{label}, planning and deciding, CPU", [1000 * poll.thinking.cpu_s for poll in polls], "ms")
    show(f"{label}, CPU", [1000 * poll.cost.cpu_s for poll in polls], "ms")
    if all(poll.tally.asked for poll in polls):
        show(f"{label}, CPU per request", [1000 * poll.cost.cpu_s / poll.tally.asked.total() for poll in polls], "ms")


if __name__ == "__main__":
    main()
