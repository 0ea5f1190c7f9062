"""The containers of the manifests run: as user 1000, on a read-only root, probed where the manifest says."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.deployment.documents import Container, container, find, load
from tests.deployment.pod import need_namespaces, start_container
from tests.git.http_server import PASSWORD, USER, HttpServer
from tests.ports import free_ports
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application
from updater.playground.git_remote import BareRepository
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.slow, pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 100.0
BASE = container(find(load("install.yaml"), "Deployment"), "argocd-image-updater")
BESIDE = container(load("sidecar-argocd/argocd-server-deployment.yaml")[0], "argocd-image-updater")
_WEBHOOK = container(load("sidecar-webhook/argocd-image-updater-deployment.yaml")[0], "webhook", "webhook")
WEBHOOK = replace(_WEBHOOK, pod={"volumes": [*BASE.pod["volumes"], *_WEBHOOK.pod["volumes"]]})
_PATCH = container(load("mounted-configuration/argocd-image-updater-deployment.yaml")[0], "argocd-image-updater")
MOUNTED = replace(
    BASE,
    spec={
        **BASE.spec,
        "env": [entry for entry in _PATCH.spec["env"] if "$patch" not in entry],
        "volumeMounts": [*BASE.spec["volumeMounts"], *_PATCH.spec["volumeMounts"]],
    },
    pod={**BASE.pod, "volumes": [*BASE.pod["volumes"], *_PATCH.pod["volumes"]]},
)
DENIED = ("Read-only file system", "Permission denied", "Traceback")

LOOK = """
import os
from pathlib import Path
def writes(folder):
    try:
        Path(folder, "new").touch()
    except OSError:
        return False
    return True
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(os.getuid(), os.getcwd(), int(status["CapBnd"], 16), status["NoNewPrivs"])
print(*(folder for folder in ("/", "/app", "/app/config", "/app/cache", "/tmp", "/etc", "/usr") if writes(folder)))
"""
"""What a process finds in the container: who it is, and where it can write."""

NOTHING: Mapping[str, str] = MappingProxyType({})
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


def keys_for(showcase: Showcase) -> dict[str, str]:
    """What an operator writes into ConfigMap and Secret, beside what is there."""
    return {
        **load("base/config/argocd-image-updater-config.yaml")[0]["data"],
        "argocd.server_addr": showcase.web.url,
        "argocd.token": showcase.token,
        "registries.conf": showcase.registries_conf,
        "status.addr": "127.0.0.1:0",
        "interval": "1s",
    }


@pytest.fixture
def start(showcase: Showcase, tmp_path: Path) -> Iterator[Start]:
    need_namespaces()
    started: list[subprocess.Popen[str]] = []

    def begin(
        ours: Container,
        ports: dict[str, int],
        more: Mapping[str, str] = NOTHING,
        files: Mapping[str, str] = NOTHING,
        extra: Mapping[str, str] = NOTHING,
    ) -> subprocess.Popen[str]:
        words = [f"--{name}-port={port}" for name, port in ports.items()]
        keys = {**keys_for(showcase), **more}
        started.append(start_container(ours, keys, tmp_path, words=words, files=files, extra=extra))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ports_for(*names: str) -> dict[str, int]:
    return dict(zip(names, free_ports(len(names)), strict=True))


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body, once the port answers."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            waiting.wait(0.05)
    raise AssertionError(f"nothing listens on {port}")


def end(process: subprocess.Popen[str]) -> str:
    """What it wrote, after the signal that a kubelet sends."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE_S)
    return said


@pytest.mark.parametrize("ours", [pytest.param(BASE, id="deployment"), pytest.param(BESIDE, id="beside argocd-server")])
def test_it_follows_a_tag_is_probed_and_ends(showcase: Showcase, start: Start, ours: Container) -> None:
    written = threading.Event()
    showcase.world.after_next("UpdateSpec", written.set)
    showcase.push_release("web", "1.0.1")
    ports = ports_for("health", "metrics")
    process = start(ours, ports)

    assert written.wait(PATIENCE_S), end(process)
    assert ask(ports["health"], ours.spec["livenessProbe"]["httpGet"]["path"]) == (200, "OK\n")
    if "readinessProbe" in ours.spec:
        assert ask(ports["health"], ours.spec["readinessProbe"]["httpGet"]["path"])[0] == 200
    assert "argocd_image_updater_applications_watched_total" in ask(ports["metrics"], "/metrics")[1]

    said = end(process)
    assert process.returncode == 0, said
    assert not [text for text in DENIED if text in said], said


def test_it_starts_from_a_mounted_configuration(showcase: Showcase, start: Start) -> None:
    written = threading.Event()
    showcase.world.after_next("UpdateSpec", written.set)
    showcase.push_release("web", "1.0.1")
    keys = keys_for(showcase)
    files = {f"{MOUNTED.literals['IMAGE_UPDATER_CONFIG_DIR']}/{key}": text for key, text in keys.items()}
    process = start(MOUNTED, ports_for("health", "metrics"), files=files)

    assert written.wait(PATIENCE_S), end(process)
    said = end(process)
    assert process.returncode == 0, said
    assert not [text for text in DENIED if text in said], said


def test_the_webhook_container_listens_and_ends(start: Start) -> None:
    ports = ports_for("webhook")
    process = start(WEBHOOK, ports, {"webhook.ghcr-secret": "s3cret"})

    assert ask(ports["webhook"], "/healthz") == (200, "OK")
    said = end(process)
    assert process.returncode == 0, said
    assert not [text for text in DENIED if text in said], said


def test_a_process_of_the_container_has_no_rights_and_two_folders(start: Start) -> None:
    looking = {**BASE.spec, "command": ["/usr/bin/tini", "--", "python", "-c", LOOK], "args": []}
    said, _ = start(replace(BASE, spec=looking), {}).communicate(timeout=PATIENCE_S)
    assert said.splitlines() == ["1000 /app 0 1", "/app/cache /tmp"]


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[HttpServer]:
    (tmp_path / "repositories").mkdir()
    server = HttpServer(tmp_path, tmp_path / "repositories", is_root=os.getuid() == 0)
    yield server
    server.close()


def test_it_commits_and_pushes_from_a_mirror_in_its_cache(
    showcase: Showcase, start: Start, git_server: HttpServer
) -> None:
    remote = BareRepository(git_server.folder / "repositories" / "shop.git")
    before = remote.commit({"web/values.yaml": "image:\n  name: shop/web\n  tag: 1.0.0\n"})
    sample = helm_application("in-git")
    sample.message.spec.source.repoURL = git_server.url("shop.git")
    sample.message.spec.source.path = "web"
    for key, value in (("write-back-method", "git"), ("write-back-target", "helmvalues")):
        sample.message.metadata.annotations[f"{ANNOTATION_PREFIX}{key}"] = value
    showcase.world.add_application(sample.message, base_images=sample.base_images)
    showcase.push_release("web", "1.0.1")

    process = start(
        replace(BASE, spec={**BASE.spec, "args": [*BASE.spec["args"], "--once"]}),
        {"metrics": 0},
        {"git.user": "bot", "git.email": "bot@example.com"},
        {"/app/config/tls/127.0.0.1": git_server.ca_pem},
        {"GIT_CREDENTIALS_HOST": "127.0.0.1", "GIT_USERNAME": USER, "GIT_PASSWORD": PASSWORD},
    )
    said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
    assert "tag: 1.0.1" in remote.read("web/values.yaml"), (before, said)
    assert not [text for text in DENIED if text in said], said
