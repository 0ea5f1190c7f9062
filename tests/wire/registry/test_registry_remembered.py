"""What is remembered of failures and limits, so that a registry is not asked in vain."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3.util.connection

from updater.errors import RegistryAuthError, RegistryError, RegistryUnavailable, RegistryUnreachable, RepositoryUnknown
from updater.playground.registry import PlaygroundRegistry
from updater.registry import pull_limits
from updater.registry.endpoints import origin_of

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]


def test_refused_credentials_are_tried_less_and_less(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "right")
    client = connect(registry, login="ann:wrong")
    tried = []
    for minute in range(40):
        before = len(registry.requests)
        for ask in (client.tags, lambda: client.candidates("1.0")):
            with pytest.raises(RegistryAuthError):
                ask()
        if len(registry.requests) > before:
            tried.append(minute)
        client.clock.ahead_s += 60
    assert tried == [0, 1, 3, 7, 15, 30], "after 1, 2, 4, 8 and from then on 15 minutes"


def test_credentials_that_work_again_are_used_as_before(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.require_basic("ann", "other")
    client = connect(registry, login="ann:pw")
    with pytest.raises(RegistryAuthError):
        client.tags()
    registry.require_basic("ann", "pw")
    client.clock.ahead_s += 61
    assert client.tags() == ("1.0", "1.1")
    registry.require_basic("ann", "other")
    client.clock.ahead_s += 61
    with pytest.raises(RegistryAuthError):
        client.tags()
    registry.require_basic("ann", "pw")
    client.clock.ahead_s += 61
    assert client.tags() == ("1.0", "1.1"), "the count of refusals has begun anew"


def test_a_manifest_that_is_locked_away_keeps_nobody_from_listing(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.faults.status(403, target="manifests/1.0")
    client = connect(registry)
    for _ in range(2):
        with pytest.raises(RegistryAuthError):
            client.candidates("1.0")
    assert len(registry.requests) == 1
    assert client.tags() == ("1.0", "1.1")


def test_a_missing_repository_is_asked_for_less_and_less(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry)
    tried = []
    for minute in range(100):
        before = len(registry.requests)
        with pytest.raises(RepositoryUnknown):
            client.tags("team/none")
        if len(registry.requests) > before:
            tried.append(minute)
        client.clock.ahead_s += 60
    assert tried == [0, 1, 3, 7, 15, 31, 61, 91], "doubling from the interval up to half an hour"


def test_a_repository_that_came_back_is_missed_as_for_the_first_time(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    client = connect(registry)

    def is_missing() -> bool:
        client.clock.ahead_s += 61
        before = len(registry.requests)
        with pytest.raises(RepositoryUnknown):
            client.tags()
        return len(registry.requests) > before

    registry.faults.status(404)
    assert [is_missing() for _ in range(4)] == [True, True, False, True]
    registry.faults.clear()
    client.forget()
    assert client.tags() == ("1.0", "1.1")
    registry.faults.status(404)
    assert [is_missing() for _ in range(4)] == [True, True, False, True]


def test_what_was_read_is_on_disk_before_anything_is_closed(
    registry: PlaygroundRegistry, connect: Connect, tmp_path: Path
) -> None:
    connect(registry, cache_folder=str(tmp_path)).candidates("1.0", "1.1")
    before = len(registry.requests)
    connect(registry, cache_folder=str(tmp_path)).candidates("1.0", "1.1")
    assert [asked.method for asked in registry.requests[before:]] == ["HEAD", "HEAD"]


@pytest.fixture
def untrusted() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_refused_certificate_is_not_asked_for_again_at_once(
    untrusted: ssl.SSLContext, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PlaygroundRegistry(untrusted) as registry:
        accepted = []
        accept = registry._server.get_request
        monkeypatch.setattr(registry._server, "get_request", lambda: accepted.append(1) or accept())
        client = connect(registry)
        for name in ("team/app", "other", "third"):
            with pytest.raises(RegistryUnreachable, match="ca_file") as raised:
                client.tags(name)
            assert raised.value.code == "registry_tls"
        assert len(accepted) == 1
        client.clock.ahead_s += 301
        with pytest.raises(RegistryUnreachable):
            client.tags()
        client.client.retire(origin_of(registry.address))
        with pytest.raises(RegistryUnreachable):
            client.tags("fourth")
        assert len(accepted) == 3


@pytest.fixture
def counted_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The playground counts pulls as Docker Hub does."""
    monkeypatch.setattr(pull_limits, "HUB_HOSTS", frozenset({"127.0.0.1"}))


@pytest.mark.usefixtures("counted_pulls")
def test_the_last_pulls_are_left_to_the_cluster(registry: PlaygroundRegistry, connect: Connect) -> None:
    client = connect(registry)
    known = client.digest("1.0")
    body = registry.manifest("team/app", "1.1")
    low = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "9;w=21600"}
    kind = "application/vnd.oci.image.manifest.v1+json"
    registry.faults.status(200, {"Content-Type": kind, **low}, body, target="manifests/1.1", times=1)
    assert client.digest("1.1")
    before = len(registry.requests)
    registry.push("team/app", "2.0")
    with pytest.raises(RegistryUnavailable) as raised:
        client.candidates("2.0", within_s=30_000)
    assert raised.value.code == "rate_limited"
    assert raised.value.retry_after_s == pytest.approx(21_600, abs=60)
    assert len(registry.requests) == before, "no pull was made"
    client.clock.ahead_s += 61
    assert client.digest("1.0") == known, "HEAD is no pull"
    assert client.tags() == ("1.0", "1.1", "2.0"), "neither is a listing"
    client.clock.ahead_s += 21_600
    assert client.digest("2.0")


@pytest.mark.usefixtures("counted_pulls")
def test_a_refused_pull_stops_pulls_alone(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(429, {"Retry-After": "600"}, target="manifests/1.0", times=1)
    client = connect(registry)
    for tag in ("1.0", "1.1"):
        with pytest.raises(RegistryUnavailable):
            client.digest(tag)
    assert client.tags() == ("1.0", "1.1")


def test_a_registry_that_finds_our_question_too_narrow_is_asked_more_widely(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.faults.status(406, target="?n=", times=1)
    assert connect(registry).tags() == ("1.0", "1.1")
    assert [asked.accept for asked in registry.requests] == ["application/json", "application/json, */*;q=0.1"]


def test_an_inspection_that_fails_goes_on_where_it_was(
    registry: PlaygroundRegistry, connect: Connect, tmp_path: Path
) -> None:
    tags = [f"t{number:02}" for number in range(30)]
    for tag in tags:
        registry.push("team/app", tag)
    registry.faults.status(503, target="manifests/t20")
    client = connect(registry, cache_folder=str(tmp_path))
    with pytest.raises(RegistryUnavailable):
        client.candidates(*tags)
    registry.faults.clear()
    before = len(registry.requests)
    assert len(client.candidates(*tags)) == 30
    assert len(registry.requests) - before < 40, "what was read is known"


def test_a_machine_without_ports_is_noticed(
    registry: PlaygroundRegistry, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_port(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    client = connect(registry, port_exhaustion_threshold=3)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", no_port)
    assert not client.client.ports.is_critical
    with pytest.raises(RegistryError):
        client.tags()
    assert client.client.ports.is_critical, "three attempts, three failures"
    client.clock.ahead_s += 61
    assert not client.client.ports.is_critical
