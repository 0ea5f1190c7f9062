"""Continuous mode against a server: Applications come and go, Watch loses events, the server is away."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from generated.application_messages_pb2 import Application
from updater.argocd.client import ArgoCDClient
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.watch import ArgoCDFeed
from updater.clock import Backoff, Countdown, SystemClock
from updater.model.applications import ApplicationSnapshot
from updater.model.report import ApplicationReport, Report
from updater.playground.applications import helm_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.ports.metrics import NoMetrics
from updater.schedule.continuous_runner import ContinuousParts, ContinuousRunner
from updater.schedule.follower import FleetAccess, FollowOptions
from updater.schedule.options import ScheduleOptions
from updater.schedule.rounds import RoundHooks
from updater.schedule.watching import WatchOptions

pytestmark = pytest.mark.wire

WAIT_S = 20.0
LONG_S = 3600.0
FOLLOW = FollowOptions(
    relist_s=LONG_S,
    least_gap_s=LONG_S,
    first_retry_s=0.01,
    watch=WatchOptions(pause=Backoff(attempts=0, base_s=0.01, cap_s=0.05)),
)


class Running:
    """A runner in a thread of its own; attempts and departures in queues."""

    def __init__(self, client: ArgoCDClient, clock: SystemClock, follow: FollowOptions) -> None:
        self.attempts: queue.Queue[str] = queue.Queue()
        self.gone: queue.Queue[str] = queue.Queue()
        access = FleetAccess(ArgoCDFleet(client, FleetOptions()), ArgoCDFeed(client, FleetOptions()))
        parts = ContinuousParts(access, _is_wanted, self._process, RoundHooks(on_gone=self.gone.put), follow)
        options = ScheduleOptions(interval_s=LONG_S)
        self.runner = ContinuousRunner(parts, options, Countdown(clock, WAIT_S), NoMetrics(), clock, NullLog())

    def _process(self, snapshot: ApplicationSnapshot) -> Report:
        self.attempts.put(snapshot.key.name)
        return Report((ApplicationReport(snapshot.key),))

    def next_attempts(self, count: int) -> set[str]:
        return {self.attempts.get(timeout=WAIT_S) for _ in range(count)}


def _is_wanted(snapshot: ApplicationSnapshot) -> bool:
    return snapshot.labels.get("updates") != "off"


Start = Callable[..., Running]


@pytest.fixture
def start(client: ArgoCDClient, clock: SystemClock) -> Iterator[Start]:
    yield from _starter(client, clock)


@pytest.fixture
def start_web(web_client: ArgoCDClient, clock: SystemClock) -> Iterator[Start]:
    yield from _starter(web_client, clock)


def _starter(client: ArgoCDClient, clock: SystemClock) -> Iterator[Start]:
    started: list[Running] = []
    with ThreadPoolExecutor() as pool:

        def run(follow: FollowOptions = FOLLOW) -> Running:
            made = Running(client, clock, follow)
            started.append(made)
            ended.append(pool.submit(made.runner.run))
            return made

        ended = []
        yield run
        clock.stop()
        for each in started:
            each.runner.stop()
        assert all(future.result(WAIT_S) for future in ended)


def switch_off(message: Application) -> None:
    message.metadata.labels["updates"] = "off"


def names(world: World) -> set[str]:
    return {each.key.name for each in world.applications_and_version()[0]}


def test_applications_come_change_and_go(world: World, start: Start) -> None:
    running = start()
    assert running.next_attempts(3) == names(world)
    assert world.wait_for_watchers(1, WAIT_S)
    world.add_sample(helm_application("new"))
    assert running.next_attempts(1) == {"new"}
    world.edit_application("new", lambda message: message.metadata.labels.update({"team": "blue"}))
    assert running.next_attempts(1) == {"new"}
    world.edit_application("new", switch_off)
    assert running.gone.get(timeout=WAIT_S) == "argocd/new"
    world.delete("shop-web")
    assert running.gone.get(timeout=WAIT_S) == "argocd/shop-web"
    assert len(world.calls_of("List")) == 1


def test_a_reconcile_that_changes_no_image_attempts_nothing(world: World, start: Start) -> None:
    running = start()
    running.next_attempts(3)
    assert world.wait_for_watchers(1, WAIT_S)

    def reconcile(message: Application) -> None:
        message.status.sync.status = "OutOfSync"

    world.edit_application("shop-web", reconcile)
    world.add_sample(helm_application("marker"))
    assert running.next_attempts(1) == {"marker"}
    assert running.attempts.empty()


def test_watches_that_are_cut_again_and_again_cost_one_list(world: World, start: Start) -> None:
    running = start()
    running.next_attempts(3)
    for number in range(10):
        assert world.wait_for_calls("Watch", number + 1, WAIT_S)
        assert world.wait_for_watchers(1, WAIT_S)
        world.end_watches()
        assert world.wait_for_watchers(0, WAIT_S) or len(world.calls_of("Watch")) > number + 1
    assert world.wait_for_calls("Watch", 11, WAIT_S)
    assert world.wait_for_watchers(1, WAIT_S)
    world.add_sample(helm_application("new"))
    assert running.next_attempts(1) == {"new"}
    assert len(world.calls_of("List")) == 1


def test_a_new_watch_does_not_replay_the_fleet(world: World, start: Start) -> None:
    running = start()
    running.next_attempts(3)
    assert world.wait_for_watchers(1, WAIT_S)
    world.end_watches()
    assert world.wait_for_calls("Watch", 2, WAIT_S)
    versions = [call.request.resourceVersion for call in world.calls_of("Watch")]
    newest = max(each.version for each in world.applications_and_version()[0])
    assert versions == [str(newest)] * 2


def test_a_lost_event_is_found_by_the_next_list(world: World, start: Start) -> None:
    running = start(replace(FOLLOW, relist_s=0.05))
    running.next_attempts(3)
    assert world.wait_for_watchers(1, WAIT_S)
    world.lose_next_event()
    world.add_sample(helm_application("unheard-of"))
    assert running.next_attempts(1) == {"unheard-of"}


def test_a_deletion_while_nobody_watched_is_found_by_the_list_after_the_cut(world: World, start: Start) -> None:
    running = start(replace(FOLLOW, least_gap_s=0.05))
    running.next_attempts(3)
    assert world.wait_for_watchers(1, WAIT_S)
    world.lose_next_event()
    world.delete("shop-web")
    world.end_watches()
    assert running.gone.get(timeout=WAIT_S) == "argocd/shop-web"


def test_a_server_that_is_away_at_start_and_later_is_found_again(
    world: World, web: GrpcWebServer, start_web: Start
) -> None:
    web.faults.answer(503)
    running = start_web(replace(FOLLOW, relist_s=0.05))
    web.faults.clear()
    assert running.next_attempts(3) == names(world)
    assert world.wait_for_watchers(1, WAIT_S)
    web.faults.answer(503)
    world.end_watches()
    world.add_sample(helm_application("meanwhile"))
    web.faults.clear()
    assert running.next_attempts(1) == {"meanwhile"}
    assert len(running.runner.fleet) == 4
