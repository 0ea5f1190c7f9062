"""``run --once`` as a process over 500 Applications whose values files are in one repository.

API server, registry and the repository's HTTP server run in this process, so on the same cores. First nothing newer
is there, so that Git is not asked. Then, in each turn, a new tag appears for all, and a second run finds nothing to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.git_batch import fill
from benchmarks.git_peer.backend import HOST, serving
from benchmarks.measuring import show
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application
from updater.playground.git_remote import BareRepository
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.registry import PlaygroundRegistry
from updater.playground.world import World

APPLICATIONS = 500
IMAGES = 50
ROUNDS = 5
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Site:
    """What the program is pointed at, as arguments and environment."""

    arguments: tuple[str, ...]
    environment: dict[str, str]

    def run(self, *, updated: int) -> float:
        """Seconds from start to end of one run, which has to update so many images without an error."""
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "updater.cli.entry", "run", "--once", *self.arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        spent_s = time.perf_counter() - began
        assert f"images_updated={updated} errors=0" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
        return spent_s


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        remote = BareRepository(Path(folder) / "served" / "fleet")
        fill(remote, APPLICATIONS)
        url, _ = stack.enter_context(serving(Path(folder) / "served"))
        registry = stack.enter_context(PlaygroundRegistry())
        site = _site(Path(folder), stack.enter_context(GrpcWebServer(_world(f"{url}/fleet"))), registry)
        print(f"git_round: run --once over {APPLICATIONS} Applications in one repository, {ROUNDS} turns")
        _measure(site, remote, registry)


def _measure(site: Site, remote: BareRepository, registry: PlaygroundRegistry) -> None:
    _push(registry, "1.0.0")
    idle = [site.run(updated=0) for _ in range(ROUNDS)]
    changed, unchanged = [], []
    for number in range(1, ROUNDS + 1):
        _push(registry, f"1.0.{number}")
        before = remote.count()
        changed.append(site.run(updated=APPLICATIONS))
        unchanged.append(site.run(updated=0))
        assert remote.count() == before + 1
    show("up to date, Git not asked, wall", idle, "s")
    show("all changed: one commit, wall", changed, "s")
    show("the same again, nothing to change in Git, wall", unchanged, "s")


def _world(url: str) -> World:
    world = World()
    for number in range(APPLICATIONS):
        image = f"registry.example.com/fleet/service-{number % IMAGES:02}"
        settings = {
            "image-list": f"app={image}:1.x",
            "write-back-method": "git",
            "write-back-target": "helmvalues",
            "app.helm.image-tag": "image.tag",
        }
        annotations = {f"{ANNOTATION_PREFIX}{key}": text for key, text in settings.items()}
        sample = helm_application(f"app-{number:04}", image=f"{image}:1.0.0", annotations=annotations)
        source = sample.message.spec.source
        source.repoURL, source.path = url, f"apps/app-{number:04}"
        world.add_application(sample.message, base_images=sample.base_images)
    return world


def _push(registry: PlaygroundRegistry, tag: str) -> None:
    for number in range(IMAGES):
        registry.push(f"fleet/service-{number:02}", tag)


def _site(folder: Path, web: GrpcWebServer, registry: PlaygroundRegistry) -> Site:
    conf = folder / "registries.conf"
    # No pace: with the default of 20 requests a second the 50 listings alone are two seconds or more of waiting.
    entry = f"- name: r\n  prefix: registry.example.com\n  api_url: {registry.address}\n  limit: 0\n"
    conf.write_text(f"registries:\n{entry}")
    words = (
        "--applications-api=argocd",
        "--disable-kubernetes",
        f"--argocd-server-addr={web.url}",
        "--argocd-grpc-web",
    )
    more = (f"--registries-conf-path={conf}", f"--git-cache-dir={folder / 'cache'}", "--git-allow-insecure-http")
    login = {"GIT_USERNAME": "bench", "GIT_PASSWORD": "bench", "GIT_CREDENTIALS_HOST": HOST}
    known = {"PATH": os.environ["PATH"], "HOME": str(folder), "ARGOCD_TOKEN": web.world.issue_token()}
    return Site((*words, *more), {**known, **login})


if __name__ == "__main__":
    main()
