"""kustomize builds every folder, and Kubernetes' own schemas, made strict, accept what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deployment.documents import CONFIG, Document, container, find, folders_of_kustomize, load, read_documents
from tests.deployment.rendering import build, build_with, check_schemas

pytestmark = pytest.mark.slow


def is_component(folder: Path) -> bool:
    """Whether a folder only changes what others bring, and builds nothing by itself."""
    return "kind: Component" in (folder / "kustomization.yaml").read_text()


@pytest.mark.parametrize(
    "folder",
    [folder for folder in folders_of_kustomize() if not is_component(folder)],
    ids=lambda folder: str(folder.relative_to(CONFIG)),
)
def test_a_folder_builds_and_fits_the_schemas(folder: Path) -> None:
    check_schemas(build(folder))


def test_the_single_file_is_what_kustomize_builds() -> None:
    def order(document: Document) -> str:
        return f"{document['kind']}/{document['metadata']['name']}"

    built = read_documents(build(CONFIG / "base"))
    assert sorted(built, key=order) == sorted(load("install.yaml"), key=order)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("replicas: 1", "replicas: one", id="a wrong type"),
        pytest.param("readOnlyRootFilesystem", "readOnlyRootFileSystem", id="a misspelt field"),
        pytest.param("apiVersion: apps/v1", "apiVersion: apps/v1beta1", id="an API that is no release"),
    ],
)
def test_the_schemas_notice_a_mistake(right: str, wrong: str) -> None:
    text = (CONFIG / "install.yaml").read_text()
    assert right in text
    check_schemas(text.replace(right, wrong), status=1)


def test_the_component_puts_the_updater_beside_argocd_server(tmp_path: Path) -> None:
    documents = build_with(tmp_path, {"resources": ["argo-cd"], "components": ["config/sidecar-argocd"]})
    server = find(documents, "Deployment", "argocd-server")
    ours = container(server, "argocd-image-updater")
    assert ours.spec["command"][-3:] == ["python", "-m", "sidecar"]
    assert {"tmp", "image-updater-tmp"} <= set(ours.volumes)
    assert [spec["name"] for spec in ours.pod["containers"]][-1:] == ["argocd-server"]
    data = find(documents, "ConfigMap", "argocd-cmd-params-cm")["data"]
    assert data == {"server.log.format": "json", "server.insecure": "true"}


def test_the_webhook_container_takes_the_port_over(tmp_path: Path) -> None:
    resources = ["config/base", "config/base/networking"]
    documents = build_with(tmp_path, {"resources": resources, "components": ["config/sidecar-webhook"]})
    deployment = find(documents, "Deployment")
    first, second = container(deployment, "argocd-image-updater"), container(deployment, "webhook", "webhook")
    assert set(first.ports) == {"health", "metrics"}
    assert second.ports == {"webhook": 8082}
    assert first.literals["ENABLE_WEBHOOK"] == "false"
    assert "ENABLE_WEBHOOK" not in first.references
    assert {mount["name"] for mount in second.mounts.values()} <= set(second.volumes)


def test_a_mounted_configuration_takes_the_place_of_variables(tmp_path: Path) -> None:
    documents = build_with(tmp_path, {"resources": ["config/base"], "components": ["config/mounted-configuration"]})
    ours = container(find(documents, "Deployment"), "argocd-image-updater")
    assert ours.references == {}
    assert set(ours.literals) == {"IMAGE_UPDATER_CONFIG_DIR", "GIT_CACHE_DIR", "REGISTRY_CACHE_DIR"}
    assert ours.literals["IMAGE_UPDATER_CONFIG_DIR"] in ours.mounts
