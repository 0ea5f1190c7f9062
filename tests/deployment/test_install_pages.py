"""What the pages about installing say can be followed: units, flags, links, and the manifests in them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.deployment.documents import CONFIG, ROOT, Document, container, find
from tests.deployment.rendering import build_with, template
from tests.deployment.tools import run_tool
from updater.assembly.ending import LONGEST_CLOSING_S
from updater.registry.configuration import parse_registries
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.resolution import resolve
from updater.settings.table import OPTIONS, options_of

PAGES = ["install-out-of-cluster.md", "install-in-cluster.md", "install-sidecar.md", "monitoring.md"]
UNITS = sorted(path.name for path in (CONFIG / "systemd").iterdir())
SERVICES = [name for name in UNITS if name.endswith(".service")]
PROGRAM = "/opt/argocd-image-updater/bin/argocd-image-updater"
MAX_EXPOSURE = 2.0
"""On the scale of systemd-analyze, where 10 is an ordinary service and everything below 5 is called OK."""

FOREIGN_FLAGS = {"--match-application-", "--account", "--expires-in", "--from-literal", "--set", "--install", "--now"}
FOREIGN_FLAGS |= {"--build-arg", "--name", "--restart", "--stop-timeout", "--read-only", "--tmpfs", "--cap-drop"}
FOREIGN_FLAGS |= {"--security-opt", "--env-file"}
"""Flags of other programs in examples, and the beginning of some of ours."""


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def yaml_blocks(name: str) -> list[Document]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)]


def unit(name: str) -> dict[str, list[str]]:
    """Every setting of a unit, with its values in order."""
    found: dict[str, list[str]] = {}
    for line in (CONFIG / "systemd" / name).read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_only_flags_that_exist(name: str) -> None:
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page(name)))
    known = {f"--{option.name}" for option in OPTIONS if option.has_flag}
    assert flags - known <= FOREIGN_FLAGS


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_only_keys_and_paths_that_exist(name: str) -> None:
    text = page(name)
    for path in re.findall(r"`(config/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)", text):
        assert (ROOT / "docs" / target).exists(), target
    keys = {option.config_key for option in OPTIONS if option.config_key}
    written = set(re.findall(r"`((?:argocd|webhook|git|log|metrics|status)\.[a-z_.-]+)(?::[^`]*)?`", text))
    assert written - {"argocd.token"} <= keys


def test_the_image_is_named_where_the_page_replaces_it() -> None:
    (pattern,) = re.findall(r"sed 's\|(image: [^|]+)\|", page("install-in-cluster.md"))
    assert (CONFIG / "install.yaml").read_text().count(pattern) == 1


def test_the_page_of_the_folder_names_everything_in_it() -> None:
    text = (CONFIG / "README.md").read_text()
    for path in CONFIG.iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in text or path.name == "README.md"
    for target in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (CONFIG / target).exists(), target


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_the_program_with_settings_it_knows(name: str) -> None:
    words = shlex.split(unit(name)["ExecStart"][0])
    environment = dict(pair.split("=", 1) for line in unit(name)["Environment"] for pair in line.split())
    assert words[:2] == [PROGRAM, "run"]
    resolution = resolve("run", parse_arguments(words[2:], options_of("run")), environment, platform=Platform())
    explicit = [s for s in resolution.settings.by_key.values() if s.origin.is_explicit]
    assert resolution.warnings == ()
    assert len(explicit) >= len(environment) + 2
    assert environment["ARGOCD_TOKEN_FILE"] == "%d/token"
    assert unit(name)["LoadCredential"] == ["token:/etc/argocd-image-updater/token"]


def test_the_container_of_the_page_starts_with_settings_that_the_program_knows() -> None:
    (example,) = [
        text for text in re.findall(r"```console\n(.*?)```", page(PAGES[0]), re.DOTALL) if "docker run" in text
    ]
    environment = dict(line.split("=", 1) for line in example.splitlines() if re.match(r"[A-Z_]+=", line))
    words = shlex.split(example.rsplit(":0.1.0", 1)[1])
    assert words[0] == "run"
    resolution = resolve("run", parse_arguments(words[1:], options_of("run")), environment, platform=Platform())
    explicit = [s for s in resolution.settings.by_key.values() if s.origin.is_explicit]
    assert len(explicit) == len(environment) + 1
    assert resolution.warnings == ()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_take_longer_to_end_than_the_program(name: str) -> None:
    (timeout,) = [option.default for option in OPTIONS if option.name == "IMAGE_UPDATER_SHUTDOWN_TIMEOUT"]
    assert isinstance(timeout, float)
    assert int(unit(name)["TimeoutStopSec"][0]) > timeout + LONGEST_CLOSING_S


def test_both_services_are_confined_in_the_same_way() -> None:
    ours, once = (unit(name) for name in SERVICES)
    differing = {key for key in {**ours, **once} if ours.get(key) != once.get(key)}
    assert differing == {"Description", "Type", "ExecStart", "Restart", "RestartSec", "TimeoutStartSec", "WantedBy"}


@pytest.fixture
def installed_units(tmp_path: Path) -> Path:
    """The units with a program that is there."""
    for name in UNITS:
        text = (CONFIG / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace(PROGRAM, str(Path(sys.executable).with_name("argocd-image-updater"))))
    return tmp_path


def need_analyzer() -> str:
    found = shutil.which("systemd-analyze")
    return found or pytest.skip("needs systemd-analyze")


def test_systemd_accepts_the_units(installed_units: Path) -> None:
    said = run_tool([need_analyzer(), "verify", "--man=no", *(str(installed_units / name) for name in UNITS)])
    assert said == ""


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_a_service_little_exposed(installed_units: Path, name: str) -> None:
    said = run_tool([need_analyzer(), "security", "--offline=true", str(installed_units / name)])
    (exposure,) = re.findall(r"Overall exposure level.*: ([0-9.]+)", said)
    assert float(exposure) < MAX_EXPOSURE


@pytest.mark.slow
def test_the_kustomization_of_the_page_builds(tmp_path: Path) -> None:
    (kustomization,) = [block for block in yaml_blocks("install-in-cluster.md") if block.get("kind") == "Kustomization"]
    documents = build_with(tmp_path, kustomization)
    assert find(documents, "ConfigMap", "argocd-image-updater-config")["data"]["interval"] == "1m"
    ours = container(find(documents, "Deployment"), "argocd-image-updater")
    assert ours.spec["image"] == "registry.example.com/argocd-image-updater:0.1.0"


@pytest.mark.slow
def test_the_certificate_of_the_page_is_mounted_by_patch_and_by_values(tmp_path: Path) -> None:
    patch, values = (block for block in yaml_blocks("install-in-cluster.md") if "argocd-secret" in json.dumps(block))
    (tmp_path / "patch.yaml").write_text(json.dumps(patch))
    patched = build_with(tmp_path, {"resources": ["config/base"], "patches": [{"path": "patch.yaml"}]})
    for documents in (patched, template(tmp_path, values)):
        ours = container(find(documents, "Deployment"), "argocd-image-updater")
        mount = ours.mounts["/app/argocd-server"]
        items = ours.volumes[mount["name"]]["secret"]["items"]
        assert items == [{"key": "tls.crt", "path": "tls.crt"}]
    assert values["config"]["extraKeys"] == {"argocd.server_crt": "/app/argocd-server/tls.crt"}


@pytest.mark.slow
def test_the_credentials_of_the_page_are_values_that_the_program_reads(tmp_path: Path) -> None:
    (values,) = [block for block in yaml_blocks("install-in-cluster.md") if "extraEnv" in block]
    documents = template(tmp_path, values)
    text = find(documents, "ConfigMap", "argocd-image-updater-config")["data"]["registries.conf"]
    prefixes = {endpoint.prefix for endpoint in parse_registries(text, "registries.conf").endpoints}
    assert {"registry.example.com", "quay.io"} <= prefixes
    ours = container(find(documents, "Deployment"), "argocd-image-updater")
    assert Path(ours.literals["GIT_CREDENTIALS_PATH"]).parent == Path("/app/git-credentials")
    assert ours.volumes["git-credentials"]["secret"]["defaultMode"] == 0o440


@pytest.mark.slow
def test_the_kustomization_beside_argocd_server_builds(tmp_path: Path) -> None:
    (kustomization,) = [block for block in yaml_blocks("install-sidecar.md") if block.get("kind") == "Kustomization"]
    documents = build_with(tmp_path, kustomization)
    ours = container(find(documents, "Deployment", "argocd-server"), "argocd-image-updater")
    assert ours.spec["image"] == "registry.example.com/argocd-image-updater:0.1.0"
