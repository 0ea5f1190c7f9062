"""Peculiarities of the registries in use (``registries.md`` 3.13), one each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from updater.errors import RegistryUnavailable
from updater.playground.registry import LinkForm, Pagination, PlaygroundRegistry
from updater.registry.authorization import pull_scope
from updater.registry.endpoints import Endpoint, RemoteRepository

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]

FOUR_TYPES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}


def test_ghcr_is_asked_for_every_type_alike(registry: PlaygroundRegistry, connect: Connect) -> None:
    """Without the index types it hides images for several platforms."""
    client = connect(registry)
    client.digest("1.0")
    client.clock.ahead_s += 61
    client.digest("1.0")
    accepts = {asked.method: asked.accept for asked in registry.requests if "/manifests/" in asked.path}
    assert set(accepts) == {"GET", "HEAD"}
    assert {frozenset(accept.split(", ")) for accept in accepts.values()} == {frozenset(FOUR_TYPES)}


def test_quay_refuses_with_a_page(registry: PlaygroundRegistry, connect: Connect) -> None:
    headers = {"Content-Type": "text/html", "Retry-After": "60"}
    registry.faults.status(429, headers, b"<html><h1>Too many requests</h1></html>")
    with pytest.raises(RegistryUnavailable, match="Too many requests") as raised:
        connect(registry).tags()
    assert raised.value.code == "rate_limited"


@pytest.mark.parametrize("user", ["team+robot", "robot$ci", "AWS", "_json_key", "oauth2accesstoken"])
@pytest.mark.parametrize("password", ['{"key": "a:b"}\nline', "pässwörd", "p w&q=1"])
@pytest.mark.parametrize("mode", ["basic", "bearer"])
def test_robots_and_keys_get_in(
    registry: PlaygroundRegistry, connect: Connect, user: str, password: str, mode: str
) -> None:
    {"basic": registry.require_basic, "bearer": registry.require_bearer}[mode](user, password)
    assert connect(registry, login=f"{user}:{password}").tags() == ("1.0", "1.1")


def test_the_name_of_a_robot_is_escaped_in_the_question_for_a_token(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.require_bearer("team+robot", "pw")
    connect(registry, login="team+robot:pw").tags()
    assert registry.requests[1].query.endswith("&account=team%2Brobot")


def test_google_lists_more_than_tags(registry: PlaygroundRegistry, connect: Connect) -> None:
    listed = {
        "name": "team/app",
        "child": ["other"],
        "manifest": {"sha256:00": {"tag": ["1.0"], "timeCreatedMs": "1", "mediaType": "x", "imageSizeBytes": "2"}},
        "tags": ["1.0"],
    }
    registry.faults.status(200, {"Content-Type": "application/json"}, json.dumps(listed).encode())
    assert connect(registry).tags() == ("1.0",)


def test_azure_has_actions_of_its_own() -> None:
    azure = Endpoint(name="acr", prefix="corp.azurecr.io", api_url="https://corp.azurecr.io")
    assert pull_scope(RemoteRepository(azure, "app")) == "repository:app:pull,metadata_read,content_read"
    look_alike = Endpoint(name="x", prefix="x", api_url="https://registry.test/corp.azurecr.io")
    assert pull_scope(RemoteRepository(look_alike, "app")) == "repository:app:pull"


def test_harbor_gets_none_of_its_cookies_back(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(200, {"Set-Cookie": "sid=tenant; Path=/"}, b'{"tags":["1"]}')
    client = connect(registry, share_tags_s=0)
    client.tags()
    client.tags()
    assert [asked.cookie for asked in registry.requests] == ["", ""]


def test_a_link_through_another_host_stays_with_ours(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.pagination = Pagination(1, LinkForm.ABSOLUTE)
    assert connect(registry).tags() == ("1.0", "1.1")


def test_too_many_requests_may_hide_behind_another_status(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.faults.status(403, body=b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
    with pytest.raises(RegistryUnavailable) as raised:
        connect(registry).tags()
    assert raised.value.code == "rate_limited"


def test_manifests_may_be_redirected_as_registry_k8s_io_does(registry: PlaygroundRegistry, connect: Connect) -> None:
    with PlaygroundRegistry() as mirror:
        digest = mirror.push("team/app", "3.0")
        registry.faults.redirect(f"{mirror.address}/v2/team/app/manifests/3.0", target="/manifests/3.0")
        registry.faults.redirect(
            f"{mirror.address}/v2/team/app/blobs/{mirror.config_digest('team/app', '3.0')}", target="/blobs/"
        )
        assert connect(registry).digest("3.0") == digest
