"""Labels of images: what they cost, of which image of an index they are, and what is no label."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryError
from updater.model.images import ImageLabels
from updater.model.references import ImageReference, ImageRepository
from updater.playground.registry import PlaygroundRegistry
from updater.playground.registry_content import CONFIG_TYPE, INDEX_TYPE, MANIFEST_TYPE
from updater.ports.registry import LabelSource
from updater.registry.client import RegistryClient
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import EndpointTable

pytestmark = pytest.mark.wire
Connect = Callable[..., Any]
APP, HOST = "team/app", "reg.test"
AMD, ARM, V7 = "linux/amd64", "linux/arm64", "linux/arm/v7"
REVISION = "org.opencontainers.image.revision"


def labels(client: Any, tag: str, *platforms: str, digest: str = "") -> ImageLabels:
    image = ImageReference(ImageRepository(HOST, APP), tag, digest)
    found: ImageLabels = client.client.fetch_labels(image, platforms, Deadline.after(client.clock, 60.0))
    return found


def asked(registry: PlaygroundRegistry) -> list[str]:
    """Methods and kinds of what was asked, without the repository."""
    kinds = [(one.method, one.path.removeprefix(f"/v2/{APP}/").partition("/")[0]) for one in registry.requests]
    return [f"{method} {kind}" for method, kind in kinds]


def test_the_client_is_a_label_source() -> None:
    client = RegistryClient(EndpointTable(), CredentialReader({}), SystemClock())
    source: LabelSource = client
    assert source is client
    client.close()


def test_the_labels_of_a_tag_cost_a_manifest_and_a_config_once(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push(APP, "2.0", labels={REVISION: "cafe", "b": "x", "a": "y"})
    client = connect(registry)
    assert labels(client, "2.0") == ((REVISION, "cafe"), ("a", "y"), ("b", "x"))
    assert asked(registry) == ["GET manifests", "GET blobs"]
    assert labels(client, "2.0") == labels(client, "2.0", AMD)
    assert len(registry.requests) == 2
    client.clock.ahead_s += 61
    labels(client, "2.0")
    assert asked(registry)[2:] == ["HEAD manifests"]
    registry.push(APP, "2.0", labels={REVISION: "beef"})
    client.clock.ahead_s += 61
    assert labels(client, "2.0") == ((REVISION, "beef"),)
    assert asked(registry)[3:] == ["HEAD manifests", "GET manifests", "GET blobs"]


def test_what_was_inspected_for_its_date_costs_one_config(registry: PlaygroundRegistry, connect: Connect) -> None:
    digest = registry.push(APP, "2.0", labels={"a": "y"})
    client = connect(registry)
    client.candidates("1.0", "1.1", "2.0")
    before = len(registry.requests)
    assert labels(client, "2.0", AMD) == (("a", "y"),)
    assert asked(registry)[before:] == ["GET blobs"]
    assert labels(client, "2.0", digest=digest) == (("a", "y"),)
    assert len(registry.requests) == before + 1


def test_a_digest_is_asked_for_itself(registry: PlaygroundRegistry, connect: Connect) -> None:
    digest = registry.push(APP, "2.0", labels={"a": "old"})
    registry.push(APP, "2.0", labels={"a": "new"})
    assert labels(connect(registry), "2.0", digest=digest) == (("a", "old"),)
    assert registry.requests[0].path.endswith(digest)


def test_callers_at_the_same_time_share_their_requests(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push(APP, "2.0", labels={"a": "y"})
    client, begin, found = connect(registry), threading.Barrier(16), []

    def ask() -> None:
        begin.wait(10)
        found.append(labels(client, "2.0"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [(("a", "y"),)] * 16
    assert asked(registry) == ["GET manifests", "GET blobs"]


def test_an_image_without_labels_has_none(registry: PlaygroundRegistry, connect: Connect) -> None:
    assert labels(connect(registry), "1.0") == ()


@pytest.mark.parametrize(
    ("platforms", "chosen"),
    [
        pytest.param((), AMD, id="the first without a filter"),
        pytest.param((ARM,), ARM, id="the one that is wanted"),
        pytest.param((ARM, AMD), ARM, id="in the order of the filter"),
        pytest.param(("windows/amd64", V7, AMD), V7, id="the first that there is"),
        pytest.param(("linux/arm",), V7, id="a variant fits the plain architecture"),
    ],
)
def test_an_index_is_resolved_to_one_image(
    registry: PlaygroundRegistry, connect: Connect, platforms: tuple[str, ...], chosen: str
) -> None:
    registry.push_index(APP, "multi", dict.fromkeys((AMD, ARM, V7), "2026-01-01T00:00:00Z"))
    assert dict(labels(connect(registry), "multi", *platforms))["platform"] == chosen
    assert asked(registry) == ["GET manifests", "GET manifests", "GET blobs"]


def _nest(registry: PlaygroundRegistry, tag: str, inner: str, depth: int) -> None:
    """An index around what a tag points to, so many times."""
    body = registry.manifest(APP, inner)
    for level in range(depth):
        digest = registry.put_manifest(APP, f"{tag}-{level}", INDEX_TYPE, body)
        entry = {"mediaType": INDEX_TYPE, "digest": digest, "size": len(body)}
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}).encode()
    registry.put_manifest(APP, tag, INDEX_TYPE, body)


def test_an_index_within_an_index_is_looked_into(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push_index(APP, "inner", {AMD: "", ARM: ""})
    _nest(registry, "outer", "inner", 1)
    _nest(registry, "deep", "inner", 2)
    assert dict(labels(connect(registry), "outer", ARM))["platform"] == ARM
    with pytest.raises(RegistryError) as caught:
        labels(connect(registry), "deep", ARM)
    assert caught.value.code == "platform_missing"


def _manifest(registry: PlaygroundRegistry, tag: str, config: bytes, **more: Any) -> None:
    descriptor = {"mediaType": CONFIG_TYPE, **registry.put_blob(APP, config), **more}
    body = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": descriptor, "layers": []}
    registry.put_manifest(APP, tag, MANIFEST_TYPE, json.dumps(body).encode())


def _attestations(registry: PlaygroundRegistry) -> None:
    registry.push_index(APP, "bad", {})


def _schema_1(registry: PlaygroundRegistry) -> None:
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    registry.put_manifest(APP, "bad", media_type, b'{"schemaVersion": 1}')


def _lost_config(registry: PlaygroundRegistry) -> None:
    registry.push(APP, "bad", labels={"a": "y"})
    registry.delete_blob(APP, registry.config_digest(APP, "bad"))


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        pytest.param(lambda _: None, "content_missing", id="no such tag"),
        pytest.param(_attestations, "platform_missing", id="an index of attestations"),
        pytest.param(_schema_1, "unsupported_manifest", id="schema 1"),
        pytest.param(_lost_config, "content_missing", id="no config"),
        pytest.param(lambda registry: _manifest(registry, "bad", b"{}"), "bad_manifest", id="the config of no image"),
        pytest.param(lambda registry: _manifest(registry, "bad", b"[]"), "bad_response", id="no document"),
        pytest.param(
            lambda registry: _manifest(registry, "bad", b"{}", size=2**40), "too_large", id="too large by its word"
        ),
    ],
)
def test_labels_that_cannot_be_told_are_an_error(
    registry: PlaygroundRegistry, connect: Connect, prepare: Callable[[PlaygroundRegistry], None], code: str
) -> None:
    prepare(registry)
    with pytest.raises(RegistryError) as caught:
        labels(connect(registry), "bad", AMD)
    assert caught.value.code == code


def test_a_registry_that_fails_is_an_error_and_asked_again_later(
    registry: PlaygroundRegistry, connect: Connect
) -> None:
    registry.push(APP, "2.0", labels={"a": "y"})
    client = connect(registry)
    registry.faults.status(503, target="/blobs/")
    with pytest.raises(RegistryError):
        labels(client, "2.0")
    registry.faults.clear()
    assert labels(client, "2.0") == (("a", "y"),)


def test_a_registry_that_is_slow_costs_the_time_that_is_given(registry: PlaygroundRegistry, connect: Connect) -> None:
    registry.push(APP, "2.0", labels={"a": "y"})
    registry.faults.delay(30.0, target="/blobs/")
    client = connect(registry)
    image = ImageReference(ImageRepository(HOST, APP), "2.0")
    for within_s in (0.2, -1.0):
        with pytest.raises(RegistryError) as caught:
            client.client.fetch_labels(image, (), Deadline.after(client.clock, within_s))
        assert caught.value.code == "registry_timeout"


@pytest.mark.parametrize("value", [{"a": 1, "b": "x"}, {"b": "x", "c": None}, ["a"], "text", 7, None])
def test_whatever_stands_in_the_place_of_labels_breaks_nothing(
    registry: PlaygroundRegistry, connect: Connect, value: object
) -> None:
    config = {"os": "linux", "architecture": "amd64", "config": {"Labels": value}}
    _manifest(registry, "odd", json.dumps(config).encode())
    assert labels(connect(registry), "odd") == ((("b", "x"),) if isinstance(value, dict) else ())
