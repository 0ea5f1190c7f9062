"""Watch on both channels: events, filters, the ends that are none, and refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
import pytest

from updater.argocd.address import parse_address
from updater.argocd.client import READ_METHODS, ArgoCDClient, ClientOptions
from updater.argocd.fleet import FleetOptions
from updater.argocd.watch import ArgoCDFeed
from updater.argocd.webcalls import WireOptions
from updater.argocd.webchannel import GrpcWebChannel
from updater.clock import SystemClock
from updater.errors import ArgoCDDenied, ArgoCDUnauthenticated, ArgoCDUnreachable
from updater.playground.applications import kustomize_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World
from updater.ports.fleet import FleetEvent, FleetEvents, FleetFeed
from updater.ports.log import NullLog
from updater.transport.http import HttpOptions, HttpTransport
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire

WAIT_S = 20.0
FAR = "99999999"
"""A version later than every other: no initial events."""


def watch(client: ArgoCDClient, since: str = FAR, **options: object) -> FleetEvents:
    feed: FleetFeed = ArgoCDFeed(client, FleetOptions(**options))  # type: ignore[arg-type]  # keywords of the options
    return feed.watch_applications(since)


class Reader:
    """Reads events in a thread of its own."""

    def __init__(self, events: FleetEvents) -> None:
        self.seen: list[FleetEvent] = []
        self.error: Exception | None = None
        self._events = events
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="reader")
        self._thread.start()

    def _read(self) -> None:
        try:
            for event in self._events:
                with self._arrived:
                    self.seen.append(event)
                    self._arrived.notify_all()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def wait_for(self, count: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.seen) >= count, WAIT_S)

    def join(self) -> None:
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error


def since_now(world: World) -> str:
    return str(world.applications_and_version()[1] + 1)


def test_changes_arrive_as_snapshots(world: World, client: ArgoCDClient) -> None:
    reader = Reader(watch(client, since_now(world)))
    assert world.wait_for_watchers(1, WAIT_S)
    names = sorted(key.key.name for key in world.applications_and_version()[0])
    world.edit_application(names[0], lambda message: message.metadata.labels.update({"team": "blue"}))
    world.delete(names[1])
    reader.wait_for(2)
    world.end_watches()
    reader.join()
    changed, deleted = reader.seen
    assert (changed.snapshot.key.name, changed.snapshot.labels["team"], changed.is_deleted) == (names[0], "blue", False)
    assert (deleted.snapshot.key.name, deleted.is_deleted) == (names[1], True)


def test_a_watch_without_version_begins_with_everything(world: World, client: ArgoCDClient) -> None:
    events: Iterator[FleetEvent] = iter(watch(client, ""))
    first = {next(events).snapshot.key for _ in world.applications_and_version()[0]}
    assert first == {each.key for each in world.applications_and_version()[0]}


@pytest.mark.parametrize("code", [None, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED], ids=str)
def test_an_end_of_the_server_is_a_normal_end(world: World, client: ArgoCDClient, code: grpc.StatusCode | None) -> None:
    reader = Reader(watch(client))
    assert world.wait_for_watchers(1, WAIT_S)
    world.end_watches(code, "going away")
    reader.join()


def test_a_cut_without_trailers_is_a_normal_end(world: World, web: GrpcWebServer, web_client: ArgoCDClient) -> None:
    web.faults.strip_trailers()
    reader = Reader(watch(web_client, ""))
    assert world.wait_for_watchers(1, WAIT_S)
    world.end_watches()
    reader.join()
    assert len(reader.seen) <= len(world.applications_and_version()[0])


def test_a_cancelled_watch_ends(world: World, client: ArgoCDClient) -> None:
    events = watch(client)
    reader = Reader(events)
    assert world.wait_for_watchers(1, WAIT_S)
    events.cancel()
    reader.join()
    assert world.wait_for_watchers(0, WAIT_S)


def test_a_watch_cancelled_before_it_is_read_ends_at_once(client: ArgoCDClient) -> None:
    events = watch(client)
    events.cancel()
    assert list(events) == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param(grpc.StatusCode.PERMISSION_DENIED, ArgoCDDenied, id="denied"),
        pytest.param(grpc.StatusCode.UNAUTHENTICATED, ArgoCDUnauthenticated, id="token"),
    ],
)
def test_a_refusal_is_no_end(world: World, client: ArgoCDClient, code: grpc.StatusCode, error: type[Exception]) -> None:
    world.reject_next("Watch", code, "no")
    with pytest.raises(error, match="watching Applications"):
        list(watch(client))


class RenewingToken:
    """A token that is replaced when it was refused."""

    def __init__(self, first: str, second: str) -> None:
        self._tokens = [Secret(first), Secret(second)]

    def current(self) -> Secret:
        return self._tokens[0]

    def renewed(self, used: Secret) -> bool:
        self._tokens = self._tokens[1:] or self._tokens
        return self._tokens[0] != used


def test_a_refused_token_that_was_renewed_ends_the_watch_and_the_next_one_uses_it(
    world: World, web: GrpcWebServer, clock: SystemClock
) -> None:
    stale, fresh = world.issue_token(), world.issue_token()
    world.revoke(stale)
    wire = WireOptions(parse_address(web.url), "tests/1")
    channel = GrpcWebChannel(HttpTransport(HttpOptions(), clock), clock, wire, READ_METHODS)
    client = ArgoCDClient(channel, RenewingToken(stale, fresh), ClientOptions("tests"), clock, NullLog())
    assert list(watch(client)) == []
    assert next(iter(watch(client, ""))).snapshot.key.namespace == "argocd"
    client.close()


def test_a_server_that_is_away_is_an_error(web: GrpcWebServer, web_client: ArgoCDClient) -> None:
    web.close()
    with pytest.raises(ArgoCDUnreachable):
        list(watch(web_client))


def test_only_projects_and_labels_that_were_asked_for_arrive(world: World, client: ArgoCDClient) -> None:
    sample = kustomize_application("elsewhere", project="other")
    sample.message.metadata.labels["tier"] = "web"
    world.add_sample(sample)
    events = iter(watch(client, "", projects=("other",), selector="tier=web"))
    assert next(events).snapshot.key.name == "elsewhere"
