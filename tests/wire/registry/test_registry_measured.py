"""What is counted, under the names of ``registries.md`` 5.8."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from updater.errors import RegistryError
from updater.playground.registry import PlaygroundRegistry

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]


def counted(client: Any, name: str) -> dict[tuple[str, ...], int]:
    """Values by labels, the registry left out."""
    return {key[2:]: int(value) for key, value in client.counts.items() if key[0] == name and value}


def test_every_exchange_with_the_api_is_counted(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    client = connect(registry, login="ann:pw")
    client.candidates("1.0")
    asked = [one for one in registry.requests if one.path != "/token"]
    assert counted(client, "registry_requests_total") == {(): len(asked)}
    assert counted(client, "registry_request_duration_seconds") == {(): len(asked)}
    assert counted(client, "registry_http_status_total") == {("401",): 1, ("200",): len(asked) - 1}
    assert counted(client, "registry_in_flight_requests") == {}, "none is on its way any more"
    assert counted(client, "registry_requests_failed_total") == {}


def test_places_we_are_sent_to_are_not_counted(registry: PlaygroundRegistry, connect: Connect) -> None:
    with PlaygroundRegistry() as elsewhere:
        config = registry.config_digest("team/app", "1.0")
        elsewhere.put_blob("team/app", registry.blob("team/app", config))
        registry.faults.redirect(f"{elsewhere.address}/v2/team/app/blobs/{config}", target="/blobs/")
        client = connect(registry)
        client.candidates("1.0")
    assert counted(client, "registry_requests_total") == {(): 2}


@pytest.mark.parametrize(
    ("fault", "kind", "failed"),
    [
        (lambda faults: faults.reset(), "dial_error", 3),
        (lambda faults: faults.never_answer(), "timeout", 3),
        (lambda faults: faults.status(503), "5xx", 1),
        (lambda faults: faults.status(429, {"Retry-After": "60"}), "429", 1),
        (lambda faults: faults.html(), "bad_response", 0),
        (lambda faults: faults.status(404), "not_found", 0),
        (lambda faults: faults.status(403), "auth_error", 0),
        (lambda faults: faults.status(200, body=b" " * (17 * 1024 * 1024)), "too_large", 1),
    ],
    ids=["reset", "silence", "503", "429", "html", "404", "403", "too large"],
)
def test_failures_are_counted_by_kind(
    registry: PlaygroundRegistry, connect: Connect, fault: Callable[[Any], None], kind: str, failed: int
) -> None:
    fault(registry.faults)
    client = connect(registry, **({"tags_timeout_s": 0.25} if kind == "timeout" else {}))
    with pytest.raises(RegistryError):
        client.tags()
    kinds = counted(client, "registry_errors_total")
    repeats = counted(client, "registry_request_retries_total").get(("tags",), 0)
    assert kinds == {(kind,): 1 + repeats}, "every attempt counts"
    assert counted(client, "registry_requests_failed_total") == ({(): failed} if failed else {})
    assert counted(client, "registry_tags_polls_total") == {("failed",): 1}


def test_tokens_are_counted_by_service(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_bearer("ann", "pw")
    registry.faults.html(target="/token", times=1)
    registry.faults.status(502, target="/token", times=1)
    client = connect(registry, login="ann:pw")
    client.tags(within_s=600)
    labels = ("playground", "repository:team/app:pull")
    assert counted(client, "registry_jwt_auth_requests_total") == {labels: 3}
    assert counted(client, "registry_jwt_auth_errors_total") == {
        (*labels, "http_502"): 1,
        (*labels, "parse_json_error"): 1,
    }
    assert counted(client, "registry_jwt_token_ttl_seconds") == {labels: 1}
    assert counted(client, "registry_request_retries_total") == {("auth",): 2}


def test_shared_calls_and_caches_are_counted(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.delay(0.2, target="/tags/list")
    client = connect(registry)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.tags(), range(4)))
    assert counted(client, "registry_tags_polls_total") == {("fetched",): 1, ("shared",): 3}
    flights = {key: value for key, value in client.counts.items() if key[0].startswith("singleflight") and value}
    assert flights == {("singleflight_leaders_total", "tags"): 1, ("singleflight_followers_total", "tags"): 3}
    client.candidates("1.0")
    client.candidates("1.0")
    hits = {key[1]: value for key, value in client.counts.items() if key[0] == "registry_cache_hits_total"}
    misses = {key[1]: value for key, value in client.counts.items() if key[0] == "registry_cache_misses_total"}
    assert misses == {"config": 1}
    assert hits == {"manifest": 2, "config": 1}
