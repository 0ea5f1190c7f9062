"""The manifests fit the program: its settings, ports, paths and promises, and nothing that it does not have."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
import yaml

from docs.manifest_settings import FILES
from docs.manifests import ARGO_CD_VALUES, INSTALL_MANIFEST, argo_cd_values, install_manifest
from tests.deployment.documents import CONFIG, Container, container, find, folders_of_kustomize, load
from updater.assembly.ending import LONGEST_CLOSING_S
from updater.settings.arguments import parse_arguments
from updater.settings.missing import refuse_missing
from updater.settings.model import Platform
from updater.settings.places import BESIDE_ARGOCD_SERVER
from updater.settings.resolution import resolve
from updater.settings.table import OPTIONS, options_of

CONFIG_MAP, SECRET = "argocd-image-updater-config", "argocd-image-updater-secret"

INSTALLED = load("install.yaml")
BASE = container(find(INSTALLED, "Deployment"), "argocd-image-updater")
BESIDE = container(load("sidecar-argocd/argocd-server-deployment.yaml")[0], "argocd-image-updater")
WEBHOOK = container(load("sidecar-webhook/argocd-image-updater-deployment.yaml")[0], "webhook", "webhook")
CONTAINERS = [
    pytest.param(BASE, id="deployment"),
    pytest.param(BESIDE, id="beside argocd-server"),
    pytest.param(WEBHOOK, id="webhook"),
]


def default(name: str) -> object:
    (option,) = [option for option in OPTIONS if option.name == name and "run" in option.commands]
    return option.default


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIG)))
def test_the_lists_of_settings_are_written_by_the_program(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path](), "run make docs"


def test_the_single_file_is_what_its_writer_makes_of_the_base() -> None:
    assert INSTALL_MANIFEST.read_text(encoding="utf-8") == install_manifest(), "run make docs"


def test_the_values_for_the_chart_of_argo_cd_are_the_patch() -> None:
    text = ARGO_CD_VALUES.read_text(encoding="utf-8")
    assert text == argo_cd_values(), "run make docs"
    server = yaml.safe_load(text)["server"]
    assert server["extraContainers"] == [BESIDE.spec]
    assert server["volumes"] == BESIDE.pod["volumes"]
    assert (server["replicas"], server["autoscaling"]) == (1, {"enabled": False})


@pytest.mark.parametrize("folder", folders_of_kustomize(), ids=lambda folder: str(folder.relative_to(CONFIG)))
def test_a_kustomization_names_every_file_beside_it(folder: Path) -> None:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    named = {*kustomization.get("resources", ()), *(patch["path"] for patch in kustomization.get("patches", ()))}
    assert all((folder / name).exists() for name in named)
    beside = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert beside <= named | {"values-argo-cd.yaml"}


@pytest.mark.parametrize("ours", CONTAINERS)
def test_every_key_of_the_configuration_reaches_its_variable(ours: Container) -> None:
    wanted = {
        option.variable: ("secretKeyRef", SECRET, option.config_key)
        if option.is_secret
        else ("configMapKeyRef", CONFIG_MAP, option.config_key)
        for option in options_of(ours.command)
        if option.config_key and option.variable
    }
    assert ours.references == wanted


@pytest.mark.parametrize("ours", CONTAINERS)
def test_the_program_starts_from_these_variables_and_flags(ours: Container) -> None:
    data = find(INSTALLED, "ConfigMap", CONFIG_MAP)["data"]
    from_keys = {name: data[key] for name, (_, _, key) in ours.references.items() if key in data}
    environment = {**from_keys, **ours.literals}
    arguments = parse_arguments(ours.words, options_of(ours.command))
    place = BESIDE_ARGOCD_SERVER if ours is BESIDE else {}
    resolution = resolve(ours.command, arguments, environment, platform=Platform(), place=place)
    settings = resolution.settings.by_key.values()
    explicit = [setting for setting in settings if setting.origin.is_explicit]
    assert len(explicit) == len(ours.words) + len(environment)
    assert resolution.warnings == ()
    refuse_missing(resolution.settings)


def test_the_configuration_names_only_known_keys() -> None:
    keys = {option.config_key for option in OPTIONS if option.config_key}
    data = find(INSTALLED, "ConfigMap", CONFIG_MAP)["data"]
    assert data == {"applications_api": "argocd", "argocd.grpc_web": "true"}
    assert set(data) <= keys
    assert "data" not in find(INSTALLED, "Secret", SECRET)


def test_ports_are_the_defaults_of_the_program() -> None:
    wanted = {name: default(f"{name}-port") for name in ("health", "metrics", "webhook")}
    assert BASE.ports == wanted
    assert WEBHOOK.ports == {"webhook": wanted["webhook"]}
    assert f"--webhook-port={wanted['webhook']}" in WEBHOOK.words


def test_ports_beside_argocd_server_are_those_of_that_place() -> None:
    health, metrics = (int(BESIDE_ARGOCD_SERVER[f"{name}-port"]) for name in ("health", "metrics"))
    assert BESIDE.ports == {
        "updater-health": health,
        "updater-metrics": metrics,
        "updater-webhook": default("webhook-port"),
    }
    assert not {8080, 8083} & set(BESIDE.ports.values())


def test_probes_ask_the_health_port_and_leave_time_for_a_bad_minute() -> None:
    live = {
        "httpGet": {"path": "/healthz", "port": "health"},
        "initialDelaySeconds": 3,
        "periodSeconds": 30,
        "timeoutSeconds": 1,
        "failureThreshold": 3,
    }
    assert BASE.spec["livenessProbe"] == live
    assert BASE.spec["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    assert BASE.spec["readinessProbe"]["periodSeconds"] == 10
    assert BESIDE.spec["livenessProbe"] == {**live, "httpGet": {"path": "/healthz", "port": "updater-health"}}
    assert "readinessProbe" not in BESIDE.spec


@pytest.mark.parametrize("ours", CONTAINERS)
def test_a_container_has_no_right_that_it_does_not_need(ours: Container) -> None:
    security = ours.spec["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("ours", CONTAINERS)
def test_a_container_has_requests_and_limits(ours: Container) -> None:
    for bound in ("requests", "limits"):
        assert set(ours.spec["resources"][bound]) == {"cpu", "memory"}


def test_the_pod_is_one_unprivileged_user_without_a_token_for_kubernetes() -> None:
    pod = BASE.pod["securityContext"]
    assert (pod["runAsUser"], pod["runAsNonRoot"], pod["fsGroup"]) == (1000, True, 1000)
    assert BASE.pod["automountServiceAccountToken"] is False
    assert find(INSTALLED, "ServiceAccount")["automountServiceAccountToken"] is False


def test_the_container_beside_argocd_server_does_not_see_its_token() -> None:
    hiding = BESIDE.mounts["/var/run/secrets/kubernetes.io/serviceaccount"]
    assert "emptyDir" in BESIDE.volumes[hiding["name"]]
    assert hiding["readOnly"] is True
    assert BESIDE.spec["securityContext"]["runAsUser"] == 1000


def test_volumes_of_the_patch_cannot_replace_those_of_argocd_server() -> None:
    assert all(name.startswith("image-updater-") for name in BESIDE.volumes)


def test_the_grace_period_outlasts_the_shutdown_timeout() -> None:
    timeout = default("IMAGE_UPDATER_SHUTDOWN_TIMEOUT")
    assert isinstance(timeout, float)
    assert BASE.pod["terminationGracePeriodSeconds"] > timeout + LONGEST_CLOSING_S


def test_there_is_one_replica_that_ends_before_its_successor_starts() -> None:
    spec = find(INSTALLED, "Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("ours", CONTAINERS)
def test_only_empty_volumes_are_writable(ours: Container) -> None:
    volumes = {**BASE.volumes, **ours.volumes}
    writable = {path for path, mount in ours.mounts.items() if not mount.get("readOnly")}
    assert writable == {"/app/cache", "/tmp"}  # noqa: S108 - a mount of its own
    assert all("emptyDir" in volumes[ours.mounts[path]["name"]] for path in writable)
    assert all("sizeLimit" in volumes[ours.mounts[path]["name"]]["emptyDir"] for path in writable)


@pytest.mark.parametrize("ours", CONTAINERS)
def test_caches_lie_on_a_volume(ours: Container) -> None:
    folders = [ours.literals["GIT_CACHE_DIR"], ours.literals["REGISTRY_CACHE_DIR"]]
    assert all(PurePosixPath("/app/cache") in PurePosixPath(folder).parents for folder in folders)


@pytest.mark.parametrize("ours", CONTAINERS)
@pytest.mark.parametrize(
    "name", ["registries-conf-path", "git-commit-message-path", "ARGOCD_SSH_DATA_PATH", "ARGOCD_TLS_DATA_PATH"]
)
def test_a_file_is_mounted_where_the_program_looks_for_it(ours: Container, name: str) -> None:
    path = str(default(name))
    if path in ours.mounts:
        return
    volume = {**BASE.volumes, **ours.volumes}[ours.mounts[str(PurePosixPath(path).parent)]["name"]]
    assert PurePosixPath(path).name in [item["path"] for item in volume["configMap"]["items"]]


def test_every_mounted_thing_may_be_absent() -> None:
    for volume in (*BASE.volumes.values(), *BESIDE.volumes.values()):
        sources = [next(iter(source.values())) for source in volume.get("projected", {}).get("sources", ())]
        sources += [volume[kind] for kind in ("configMap", "secret") if kind in volume]
        assert all(source["optional"] for source in sources)


def test_the_installation_grants_no_right_in_kubernetes() -> None:
    kinds = sorted(document["kind"] for document in INSTALLED)
    assert kinds == ["ConfigMap", "ConfigMap", "Deployment", "Secret", "Service", "ServiceAccount"]


def test_rights_for_a_kubernetes_client_are_those_of_the_older_updater_and_apart() -> None:
    folder = "base/rbac/kubernetes-access/argocd-image-updater"
    assert load(f"{folder}-role.yaml")[0]["rules"] == [
        {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get", "list", "watch"]}
    ]
    assert load(f"{folder}-clusterrole.yaml")[0]["rules"] == [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get", "list", "update", "patch"]},
    ]


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        pytest.param("base/service/argocd-image-updater-service.yaml", BASE, id="metrics"),
        pytest.param("base/networking/argocd-image-updater-webhook-service.yaml", BASE, id="webhook"),
        pytest.param("base/networking/argocd-image-updater-webhook-service.yaml", WEBHOOK, id="webhook container"),
        pytest.param("sidecar-argocd/argocd-image-updater-metrics-service.yaml", BESIDE, id="beside argocd-server"),
    ],
)
def test_a_service_leads_to_a_port_that_is_there(path: str, ours: Container) -> None:
    (port,) = load(path)[0]["spec"]["ports"]
    assert port["targetPort"] in ours.ports


@pytest.mark.parametrize("name", ["metrics", "webhook"])
def test_a_network_policy_opens_the_port_of_its_name(name: str) -> None:
    spec = load(f"base/network-policy/argocd-image-updater-{name}.yaml")[0]["spec"]
    (rule,) = spec["ingress"]
    assert [port["port"] for port in rule["ports"]] == [BASE.ports[name]]
    assert spec["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "argocd-image-updater"}


def test_every_object_is_labelled_as_a_part_of_the_updater() -> None:
    for document in INSTALLED:
        assert document["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd-image-updater"
        assert "namespace" not in document["metadata"]
