"""How many requests a fleet costs: the goals of a registry that serves thousands of Applications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from updater.playground.registry import Pagination, PlaygroundRegistry
from updater.registry.tag_memory import REVALIDATED_AT_ALL

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
APPLICATIONS, REPOSITORIES, TAGS = 1_000, 200, 1_000
LISTING = 3
"""Requests for a list that fills its page: the page, the question for more, and once more without a size."""


def tally(registry: PlaygroundRegistry, since: int = 0) -> Counter[str]:
    """How often what was asked, by method and kind."""

    def kind(path: str) -> str:
        return next((word for word in ("tags", "manifests", "blobs", "token") if f"/{word}" in path), "ping")

    return Counter(f"{asked.method} {kind(asked.path)}" for asked in registry.requests[since:])


@pytest.fixture
def crowded(registry: PlaygroundRegistry) -> PlaygroundRegistry:
    for number in range(TAGS):
        registry.push("team/many", f"b{number}", created=f"2026-01-{1 + number % 28:02}T00:00:00Z")
    return registry


def names() -> list[str]:
    return [f"team/app{number % REPOSITORIES}" for number in range(2 * APPLICATIONS)]


def test_a_thousand_applications_cost_one_listing_per_repository(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    for name in set(names()):
        registry.push(name, "1.0")
    registry.require_bearer("ann", "pw")
    client = connect(registry, login="ann:pw", requests_per_s=0)
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(client.tags, names())) == {("1.0",)}
        assert tally(registry) == {"GET ping": 1, "GET token": REPOSITORIES, "GET tags": REPOSITORIES}
        before = len(registry.requests)
        assert set(pool.map(client.tags, names())) == {("1.0",)}
    assert len(registry.requests) == before, "within the interval nothing is asked"


@pytest.mark.slow
def test_a_thousand_builds_are_read_once_in_their_life(
    crowded: PlaygroundRegistry, connect: Connect, tmp_path: Path
) -> None:
    def newest(client: Any) -> str:
        candidates = client.candidates(*client.tags("team/many"), name="team/many", platforms=("linux/amd64",))
        assert len(candidates) == TAGS
        winner: str = max(candidates, key=lambda candidate: (candidate.created_ns, candidate.tag)).tag
        return winner

    client = connect(crowded, requests_per_s=0, cache_folder=str(tmp_path))
    assert newest(client) == "b979"
    assert tally(crowded) == {"GET tags": LISTING, "GET manifests": TAGS, "GET blobs": TAGS}
    before = len(crowded.requests)
    assert newest(client) == "b979"
    assert len(crowded.requests) == before, "within the interval nothing is asked"
    client.clock.ahead_s += 61
    assert newest(client) == "b979"
    assert tally(crowded, before) == {"GET tags": LISTING, "HEAD manifests": REVALIDATED_AT_ALL}
    client.client.close()
    before = len(crowded.requests)
    assert newest(connect(crowded, requests_per_s=0, cache_folder=str(tmp_path))) == "b979"
    assert tally(crowded, before) == {"GET tags": LISTING, "HEAD manifests": TAGS}


def test_one_new_build_costs_one_look(registry: PlaygroundRegistry, connect: Connect) -> None:
    for number in range(40):
        registry.push("team/app", f"b{number}")
    client = connect(registry, requests_per_s=0)
    client.candidates(*client.tags())
    registry.push("team/app", "fresh", created="2026-02-01T00:00:00Z")
    client.clock.ahead_s += 61
    before = len(registry.requests)
    client.candidates(*client.tags())
    heads = 1 + REVALIDATED_AT_ALL
    assert tally(registry, before) == {"GET tags": 1, "HEAD manifests": heads, "GET manifests": 1, "GET blobs": 1}


def test_every_known_tag_gets_its_turn(registry: PlaygroundRegistry, connect: Connect) -> None:
    tags = [f"t{number:02}" for number in range(50)]
    for tag in tags:
        registry.push("team/app", tag)
    client = connect(registry, requests_per_s=0)
    client.candidates(*tags)
    before = len(registry.requests)
    for _ in range(4):
        client.clock.ahead_s += 61
        client.candidates(*tags)
    looked_at = {asked.path.rpartition("/")[2] for asked in registry.requests[before:]}
    assert looked_at == set(tags)
    assert len(registry.requests) - before == 4 * REVALIDATED_AT_ALL


def test_a_moved_tag_is_noticed_when_it_is_looked_at(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry)
    old = client.candidates("1.0", "1.1")
    moved = registry.push("team/app", "1.0", created="2026-02-01T00:00:00Z")
    assert client.candidates("1.0", "1.1") == old
    client.clock.ahead_s += 61
    assert client.candidates("1.0", "1.1")[0].digest == moved


def test_a_webhook_makes_known_tags_old_at_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry)
    client.digest("1.0")
    moved = registry.push("team/app", "1.0")
    client.forget()
    assert client.digest("1.0") == moved


def test_immutable_tags_are_never_looked_at_again(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry, tags_are_immutable=True)
    client.candidates("1.0", "1.1")
    before = len(registry.requests)
    client.clock.ahead_s += 3_600
    client.candidates("1.0", "1.1")
    assert len(registry.requests) == before


def test_callers_at_the_same_time_share_one_look(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.delay(0.1)
    client = connect(registry)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: client.digest("1.0"), range(32)))) == 1
    assert tally(registry) == {"GET manifests": 1, "GET blobs": 1}


def test_an_unchanged_listing_is_confirmed_without_its_body(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.offers_etags = True
    registry.push("team/app", "1.2")
    registry.pagination = Pagination(2)
    client = connect(registry)
    assert client.tags() == ("1.0", "1.1", "1.2")
    client.clock.ahead_s += 61
    assert client.tags() == ("1.0", "1.1", "1.2")
    assert client.statuses() == {"200": 2, "304": 2}
    registry.push("team/app", "1.3")
    client.clock.ahead_s += 61
    assert client.tags() == ("1.0", "1.1", "1.2", "1.3"), "one changed page makes a changed list"
    assert client.statuses() == {"200": 3, "304": 3}
    assert client.polls() == {"fetched": 2, "not_modified": 1}


def test_a_page_without_room_is_not_taken_for_the_last(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.offers_etags = True
    registry.pagination = Pagination(1)
    client = connect(registry)
    assert client.tags() == ("1.0", "1.1")
    registry.push("team/app", "1.2")
    client.clock.ahead_s += 61
    assert client.tags() == ("1.0", "1.1", "1.2"), "the second page is what it was, and no longer the last"


def test_validators_that_never_help_are_no_longer_sent(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(200, {"ETag": '"always"'}, b'{"tags":["1"]}')
    client = connect(registry, share_tags_s=0, requests_per_s=0)
    for _ in range(25):
        assert client.tags() == ("1",)
    assert [asked.is_conditional for asked in registry.requests] == [False] + [True] * 20 + [False] * 4


def test_a_list_that_shrinks_by_half_is_asked_for_twice(registry: PlaygroundRegistry, connect: Connect) -> None:
    for number in range(8):
        registry.push("team/app", f"2.{number}")
    client = connect(registry)
    everything = client.tags()
    client.clock.ahead_s += 61
    registry.faults.status(200, body=b'{"tags":["1.0"]}', times=1)
    assert client.tags() == everything
    client.clock.ahead_s += 61
    registry.faults.status(200, body=b'{"tags":["1.0"]}', times=2)
    assert client.tags() == ("1.0",), "the second answer is believed"


def test_a_changed_list_is_told_once_to_those_who_listen(registry: PlaygroundRegistry, connect: Connect) -> None:
    client, told = connect(registry), []
    client.client.when_tags_change(lambda repository: told.append(repository.name))
    client.tags()
    client.clock.ahead_s += 61
    client.tags()
    assert told == [], "neither the first list nor the same list is a change"
    registry.push("team/app", "1.2")
    registry.faults.delay(0.1)
    client.clock.ahead_s += 61
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: client.tags(), range(8))) == {("1.0", "1.1", "1.2")}
    assert told == ["team/app"]
