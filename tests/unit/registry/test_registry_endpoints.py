from __future__ import annotations

import pytest

from updater.errors import RegistryError
from updater.model.references import ImageRepository
from updater.registry.endpoints import DOCKER_HUB, Endpoint, EndpointSource, EndpointTable, origin_of


def test_looking_up_a_host_does_not_change_later_answers() -> None:
    table = EndpointTable([Endpoint(name="acme", prefix="ghcr.io/acme", api_url="https://ghcr.io")])
    assert table.locate(ImageRepository("ghcr.io", "other/web")).endpoint.source is EndpointSource.INFERRED
    assert table.locate(ImageRepository("ghcr.io", "acme/web")).endpoint.source is EndpointSource.CONFIGURED


def test_an_entry_for_a_legacy_hub_host_serves_that_host() -> None:
    own = Endpoint(name="own", prefix="index.docker.io", api_url="https://mirror.test")
    table = EndpointTable([own])
    assert table.locate(ImageRepository("index.docker.io", "a/b")).endpoint is own
    assert table.locate(ImageRepository("registry-1.docker.io", "a/b")).endpoint is DOCKER_HUB


def test_the_last_entry_of_a_prefix_wins() -> None:
    first, last = (Endpoint(name=n, prefix="r.test", api_url=f"https://{n}.test") for n in ("first", "last"))
    assert EndpointTable([first, last]).locate(ImageRepository("r.test", "a")).endpoint is last


def test_an_entry_without_prefix_serves_hosts_that_nobody_names() -> None:
    table = EndpointTable([Endpoint(name="any", prefix="", api_url="https://proxy.test")])
    assert table.locate(ImageRepository("quay.io", "a/b")).tags_url == "https://proxy.test/v2/a/b/tags/list"
    assert table.locate(ImageRepository("", "a/b")).endpoint is DOCKER_HUB


def test_an_api_below_a_path_keeps_its_path() -> None:
    table = EndpointTable([Endpoint(name="gw", prefix="gw.test", api_url="https://gw.test/oci")])
    remote = table.locate(ImageRepository("gw.test", "a/b"))
    assert remote.tags_url == "https://gw.test/oci/v2/a/b/tags/list"
    assert str(remote) == "gw.test/oci/a/b"


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        pytest.param("ghcr.io", "Acme/web", id="upper case"),
        pytest.param("ghcr.io", "a//b", id="empty part"),
        pytest.param("ghcr.io", "../a", id="traversal"),
        pytest.param("ghcr.io", "a?b", id="query"),
        pytest.param("ghcr.io", "a" * 256, id="too long"),
        pytest.param("ghcr.io/x@y", "a", id="host with a path"),
        pytest.param("user@ghcr.io", "a", id="host with a user"),
        pytest.param("ghcr.io:65536", "a", id="no such port"),
        pytest.param("", "", id="empty"),
    ],
)
def test_what_may_not_enter_a_url_is_refused(registry: str, name: str) -> None:
    with pytest.raises(RegistryError) as raised:
        EndpointTable().locate(ImageRepository(registry, name))
    assert raised.value.code == "invalid_reference"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://R.test/x", "https://r.test:443"),
        ("http://r.test", "http://r.test:80"),
        ("https://[::1]:5000/", "https://[::1]:5000"),
    ],
)
def test_an_origin_names_its_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
