"""A large fleet through the assembled runtime: every Application accounted for, every repository asked once."""

from __future__ import annotations

from pathlib import Path

import pytest

from updater.assembly import build_runtime
from updater.playground.fleets import synthetic_fleet
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.showcase import REGISTRY_HOST
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.ports.progress import NoProgress
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.transport.redaction import Secret

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

APPLICATIONS = 5_000
REPOSITORIES = 50


def test_five_thousand_applications_make_one_round_with_one_poll_per_repository(tmp_path: Path) -> None:
    world = World()
    running = set[str]()
    for sample in synthetic_fleet(APPLICATIONS, repositories=REPOSITORIES):
        world.add_application(sample.message, base_images=sample.base_images)
        running |= {image.rpartition(":")[0] for image in sample.base_images}
    hosts = {name.partition("/")[0] for name in running}
    with GrpcWebServer(world) as server, PlaygroundRegistry() as registry:
        for name in running:
            for tag in ("1.0.0", "1.0.1"):
                registry.push(name.partition("/")[2], tag)
        conf = tmp_path / "registries.conf"
        entries = "".join(f"- name: p\n  prefix: {host}\n  api_url: {registry.address}\n  limit: 0\n" for host in hosts)
        conf.write_text(f"registries:\n{entries}")
        settings = RunSettings(
            connection=ConnectionSettings(server=server.url, is_grpc_web=True, token=Secret(world.issue_token())),
            registry=RegistrySettings(conf_path=str(conf)),
            is_dry_run=True,
        )
        runtime = build_runtime(settings, log=NullLog(), progress=NoProgress(), environment={})
        try:
            report = runtime.run_once()
        finally:
            runtime.close()
        listings = [asked for asked in registry.requests if asked.path.endswith("/tags/list")]

    assert hosts == {REGISTRY_HOST}
    assert report.totals["applications"] == APPLICATIONS
    assert report.totals["errors"] == 0
    assert sum(len(each.decisions) for each in report.applications) == report.totals["images_considered"]
    assert len(listings) == len(running) == REPOSITORIES
