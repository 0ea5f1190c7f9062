"""Notifications that an independent registry sends by itself: the distribution project's, as Debian packages it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from served import SECRET, WAIT_S, Served

from tests.wire.registry.debian_server import DebianRegistry, debian_registries
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

NOTIFICATIONS = """
notifications:
  endpoints:
  - name: updater
    url: http://127.0.0.1:{port}/webhook?type=registry
    headers: {{Authorization: ["{authorization}"]}}
    timeout: 5s
    threshold: 3
    backoff: 1s
"""
Start = Callable[..., DebianRegistry]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with debian_registries(folder) as run:
        yield run


def watched(showcase: Showcase, registry: DebianRegistry) -> str:
    """Adds an Application that follows a repository of the registry; returns its host."""
    host = urlsplit(registry.address).netloc
    image = f"{host}/acme/api"
    annotations = {f"{ANNOTATION_PREFIX}image-list": f"api={image}:~1.0"}
    showcase.world.add_sample(helm_application("acme-api", image=f"{image}:1.0.0", annotations=annotations))
    return host


@pytest.mark.parametrize("authorization", [f"Bearer {SECRET}", SECRET])
def test_a_push_is_followed_because_the_registry_says_so(
    showcase: Showcase, tmp_path: Path, start: Start, authorization: str
) -> None:
    quiet = start()
    quiet.push("acme/api", "1.0.0")
    host = watched(showcase, quiet)
    conf = tmp_path / "registries.conf"
    conf.write_text(f"registries:\n- name: debian\n  prefix: {host}\n  api_url: {quiet.address}\n")
    with Served(showcase, tmp_path, is_polling=False, interval_s=0.0) as served:
        written = served.next_write()
        loud = start(auth=NOTIFICATIONS.format(port=served.port, authorization=authorization))
        # What the registry tells as its host is what it was asked as.
        loud.headers = {"Host": host}
        loud.push("acme/api", "1.0.1")
        written.get(timeout=WAIT_S)
        assert served.tag_of("acme-api") == "1.0.1"
        accepted = served.log.wait("webhook_accepted")
        assert (accepted["repository"], accepted["tag"], accepted["type"]) == ("acme/api", "1.0.1", "registry")
        ignored = served.log.of("webhook_ignored")
        assert {fields["code"] for fields in ignored} <= {"ignored_action"}, "layers are no events for us"
