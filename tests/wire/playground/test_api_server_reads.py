"""List, Get and Watch: sections 7.1 to 7.3 of the Argo CD API facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
import pytest
from api_client import CallFailed, Client

from generated.application_messages_pb2 import Application, ApplicationQuery, ApplicationWatchEvent
from generated.application_service_pb2_grpc import ApplicationServiceStub
from updater.playground.applications import helm_application
from updater.playground.feed import BUFFER_EVENTS
from updater.playground.world import World

pytestmark = pytest.mark.wire

Watch = Callable[..., Iterator[ApplicationWatchEvent]]


@pytest.fixture
def wide(world: World) -> World:
    """Besides the samples: a labelled Application in another project, and a namesake in another namespace."""
    labelled = helm_application("billing", project="money").message
    labelled.metadata.labels["team"] = "red"
    world.add_application(labelled)
    world.add_application(helm_application("shop-web", namespace="team-a").message)
    world.configure(namespaces=frozenset({"team-a"}))
    return world


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({}, ["billing", "shop-all", "shop-api", "shop-web", "team-a/shop-web"], id="all, by name"),
        pytest.param({"projects": ["money"]}, ["billing"], id="project"),
        pytest.param({"projects": ["money", "none"]}, ["billing"], id="projects"),
        pytest.param({"name": "shop-web"}, ["shop-web"], id="at most one of a name"),
        pytest.param({"name": "gone"}, [], id="missing name"),
        pytest.param({"name": ""}, ["billing", "shop-all", "shop-api", "shop-web", "team-a/shop-web"], id="empty name"),
        pytest.param({"appNamespace": "team-a"}, ["team-a/shop-web"], id="namespace"),
        pytest.param({"appNamespace": "team-b"}, [], id="namespace that is not enabled"),
        pytest.param({"selector": "team=red"}, ["billing"], id="label"),
        pytest.param({"selector": "team!=red", "projects": ["money"]}, [], id="label unequal"),
        pytest.param({"repo": "https://git.example.com/none.git"}, [], id="repository"),
        pytest.param({"refresh": "hard", "resourceVersion": "1", "projects": ["money"]}, ["billing"], id="ignored"),
    ],
)
def test_list_filters(wide: World, client: Client, query: dict[str, str], names: list[str]) -> None:
    found = client.call("List", ApplicationQuery(**query)).items
    assert [_display(each) for each in found] == names


def test_an_empty_project_counts_as_default(world: World, client: Client) -> None:
    message = helm_application("plain").message
    message.spec.project = ""
    world.add_application(message)
    found = client.call("List", ApplicationQuery(projects=["default"])).items
    assert "plain" in {each.metadata.name for each in found}


def test_bad_selector_syntax_is_unknown(client: Client) -> None:
    with pytest.raises(CallFailed, match="error parsing the selector") as caught:
        client.call("List", ApplicationQuery(selector="a=b=c"))
    assert caught.value.code is grpc.StatusCode.UNKNOWN


def test_the_list_carries_the_last_version(world: World, client: Client) -> None:
    before = int(client.call("List", ApplicationQuery()).metadata.resourceVersion)
    world.edit_application("shop-web", lambda message: message.metadata.labels.update(a="b"))
    after = client.call("List", ApplicationQuery())
    assert int(after.metadata.resourceVersion) == before + 1
    assert max(int(each.metadata.resourceVersion) for each in after.items) == before + 1


def test_undeclared_fields_come_as_they_were_put(world: World, client: Client) -> None:
    message = Application.FromString(helm_application("rich").message.SerializeToString())
    message.spec.MergeFromString(bytes.fromhex("320a0a0161120562797465 73".replace(" ", "")))
    world.add_application(message)
    received = client.call("Get", ApplicationQuery(name="rich"))
    assert bytes.fromhex("320a0a016112056279746573") in received.spec.SerializeToString()


@pytest.fixture
def watch(channel: grpc.Channel, token: str) -> Iterator[Watch]:
    opened: list[grpc.Call] = []

    def start(**query: object) -> Iterator[ApplicationWatchEvent]:
        stream = ApplicationServiceStub(channel).Watch(
            ApplicationQuery(**query), metadata=(("token", token),), timeout=20
        )
        opened.append(stream)
        return stream

    yield start
    for each in opened:
        each.cancel()


def test_watch_starts_with_what_is_there_by_namespace_and_name(wide: World, watch: Watch) -> None:
    stream = watch()
    events = [next(stream) for _ in range(5)]
    assert {each.type for each in events} == {"ADDED"}
    assert [_display(each.application) for each in events] == [
        "billing",
        "shop-all",
        "shop-api",
        "shop-web",
        "team-a/shop-web",
    ]


def test_watch_tells_of_changes_and_deletions(world: World, watch: Watch) -> None:
    stream = watch(name="shop-web")
    assert next(stream).type == "ADDED"
    world.edit_application("shop-web", lambda message: message.metadata.labels.update(a="b"))
    world.edit_application("shop-api", lambda message: message.metadata.labels.update(a="b"))
    world.delete("shop-web")
    changed, gone = next(stream), next(stream)
    assert (changed.type, dict(changed.application.metadata.labels)["a"]) == ("MODIFIED", "b")
    assert (gone.type, gone.application.metadata.name) == ("DELETED", "shop-web")


def test_watch_from_a_version_has_no_initial_set(world: World, watch: Watch) -> None:
    stream = watch(resourceVersion="1")
    assert world.wait_for_watchers(1, timeout_s=10)
    world.edit_application("shop-api", lambda message: message.metadata.labels.update(a="b"))
    assert (next(stream)).type == "MODIFIED"


def test_watch_from_a_text_that_is_no_number_starts_at_zero_without_an_initial_set(world: World, watch: Watch) -> None:
    stream = watch(resourceVersion="now")
    assert world.wait_for_watchers(1, timeout_s=10)
    world.add_application(helm_application("new").message)
    assert (next(stream)).application.metadata.name == "new"


def test_watch_with_a_version_and_a_name_starts_with_that_application(world: World, watch: Watch) -> None:
    assert (next(watch(resourceVersion="1", name="shop-web"))).type == "ADDED"


def test_watch_leaves_out_what_the_caller_may_not_read(world: World, watch: Watch) -> None:
    world.deny("updater", "applications", "get", "default/shop-all")
    assert (next(watch())).application.metadata.name == "shop-api"


def test_an_application_that_stops_matching_falls_silent(world: World, watch: Watch) -> None:
    stream = watch(projects=["default"], name="shop-web")
    assert next(stream).type == "ADDED"
    world.edit_application("shop-web", lambda message: setattr(message.spec, "project", "other"))
    world.edit_application("shop-web", lambda message: setattr(message.spec, "project", "default"))
    assert next(stream).application.spec.project == "default"


def test_a_lost_event_is_lost(world: World, watch: Watch) -> None:
    stream = watch(name="shop-web")
    next(stream)
    world.lose_next_event()
    for value in ("lost", "seen"):
        world.edit_application("shop-web", lambda message, value=value: message.metadata.labels.update(a=value))
    assert dict(next(stream).application.metadata.labels)["a"] == "seen"


def test_a_full_buffer_drops_the_newest_events(world: World) -> None:
    with world.watch() as (subscription, _):
        for _ in range(BUFFER_EVENTS + 5):
            world.edit_application("shop-web", lambda message: message.metadata.labels.update(a="b"))
        subscription.close()
        assert len(subscription._events) == BUFFER_EVENTS


def test_a_watch_may_end_properly_or_with_a_status(world: World, watch: Watch) -> None:
    ended, broken = watch(name="shop-web"), watch(name="shop-web")
    next(ended)
    assert world.wait_for_watchers(2, timeout_s=10)
    next(broken)
    world.end_watches()
    assert list(ended) == []
    assert list(broken) == []
    broken = watch(name="shop-web")
    next(broken)
    world.end_watches(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
    with pytest.raises(grpc.RpcError) as caught:
        next(broken)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_calls_can_be_waited_for(world: World, client: Client) -> None:
    assert not world.wait_for_calls("List", 1, timeout_s=0)
    client.call("List", ApplicationQuery())
    assert world.wait_for_calls("List", 1, timeout_s=0)
    assert world.calls_of("List")[0].transport in ("grpc", "grpc-web")


def test_a_cancelled_watch_leaves_the_world(world: World, channel: grpc.Channel, token: str) -> None:
    stream = ApplicationServiceStub(channel).Watch(ApplicationQuery(), metadata=(("token", token),))
    next(stream)
    assert world.wait_for_watchers(1, timeout_s=10)
    stream.cancel()
    assert world.wait_for_watchers(0, timeout_s=10)


def _display(message: Application) -> str:
    namespace = message.metadata.namespace
    return message.metadata.name if namespace == "argocd" else f"{namespace}/{message.metadata.name}"
