"""The Helm chart: its values are those that people use, and what it renders is what the plain manifests are."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.chart import CHART, CHART_PAGE, chart_page, described_values
from tests.deployment.chart_values import EVERYTHING, OLDER_NAMES
from tests.deployment.documents import Document, container, find, load
from tests.deployment.rendering import template
from tests.deployment.tools import need_built, run_tool
from updater import __version__
from updater.registry.configuration import parse_registries
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.resolution import resolve
from updater.settings.table import options_of

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
KEYS = {option.config_key: option for option in options_of("run") if option.config_key}


NOTES_AS_MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data: {text: {{ tpl (.Files.Get "notes.txt") . | toJson }}}
"""


def leaves(values: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def listed(name: str) -> dict[str, str]:
    """Variable to key of a list in the chart's helpers."""
    text = (CHART / "templates" / "_helpers.tpl").read_text()
    match = re.search(rf'define "argocd-image-updater.{name}" -}}}}\n(.*?)\{{{{- end', text, re.DOTALL)
    assert match
    return dict(line.split(": ") for line in match[1].splitlines() if not line.startswith("#"))


def refuse(tmp_path: Path, values: Document) -> str:
    path = tmp_path / "values.json"
    path.write_text(json.dumps(values))
    return run_tool([need_built("helm"), "template", "shop", str(CHART), "-f", str(path)], status=1)


def notes(tmp_path: Path, values: Document) -> str:
    """What helm says after an installation: rendered as a value, because an installation needs a cluster."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    (chart / "templates" / "NOTES.txt").rename(chart / "notes.txt")
    (chart / "templates" / "notes.yaml").write_text(NOTES_AS_MANIFEST)
    return str(find(template(tmp_path, values, chart=chart), "ConfigMap", "notes")["data"]["text"])


def test_the_page_is_written_from_the_values() -> None:
    assert CHART_PAGE.read_text(encoding="utf-8") == chart_page(), "run make docs"


def test_every_value_is_described() -> None:
    described = {value.path for value in described_values()}
    for leaf in leaves(VALUES):
        assert any(leaf[: len(path)] == path for path in described), leaf


@pytest.mark.parametrize("name", OLDER_NAMES)
def test_a_value_of_the_older_charts_is_known(name: str) -> None:
    assert name in {value.name for value in described_values()}


def test_the_schema_knows_exactly_the_values() -> None:
    def known(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for key, part in schema.get("properties", {}).items():
            yield (*path, key)
            yield from known(part, (*path, key))

    schema = json.loads((CHART / "values.schema.json").read_text())
    names = {".".join(path) for path in known(schema)}
    assert {value.name for value in described_values()} <= names
    assert {name.partition(".")[0] for name in names} == {*VALUES, "global"}
    assert schema["additionalProperties"] is False


def test_the_chart_is_of_this_version() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_every_key_of_the_configuration_has_its_variable() -> None:
    options = [option for option in KEYS.values() if option.variable]
    assert listed("settings") == {o.variable: o.config_key for o in options if not o.is_secret}
    secrets = {o.variable: o.config_key for o in options if o.is_secret}
    assert secrets.pop("ARGOCD_TOKEN") == "argocd.token"
    assert listed("secretSettings") == secrets


@pytest.mark.slow
def test_helm_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(json.dumps(EVERYTHING))
    for values in ([], ["-f", str(path)]):
        assert "0 chart(s) failed" in run_tool([need_built("helm"), "lint", "--strict", str(CHART), *values])


@pytest.mark.slow
def test_defaults_give_the_pod_of_the_plain_manifests(tmp_path: Path) -> None:
    ours = container(find(template(tmp_path, {}), "Deployment"), "argocd-image-updater")
    plain = container(find(load("install.yaml"), "Deployment"), "argocd-image-updater")
    assert ours.references == plain.references
    assert ours.literals == plain.literals
    for key in ("args", "ports", "livenessProbe", "readinessProbe", "resources", "securityContext", "volumeMounts"):
        assert ours.spec[key] == plain.spec[key], key
    assert {**ours.pod, "containers": [], "serviceAccountName": ""} == {
        **plain.pod,
        "containers": [],
        "serviceAccountName": "",
    }


@pytest.mark.slow
def test_defaults_make_three_objects_and_grant_no_right(tmp_path: Path) -> None:
    kinds = sorted(document["kind"] for document in template(tmp_path, {}))
    assert kinds == ["ConfigMap", "Deployment", "ServiceAccount"]


@pytest.mark.slow
def test_everything_at_once_renders(tmp_path: Path) -> None:
    documents = template(tmp_path, EVERYTHING)
    assert sorted(document["kind"] for document in documents) == sorted(
        [
            *["ConfigMap"] * 6,
            *["Service"] * 2,
            "ClusterRole",
            "ClusterRoleBinding",
            "Deployment",
            "Ingress",
            "Role",
            "RoleBinding",
            "Secret",
            "ServiceAccount",
            "ServiceMonitor",
        ]
    )
    secret = find(documents, "Secret")["stringData"]
    assert secret == {
        "argocd.token": "a.b.c",
        "webhook.ghcr-secret": "s3cret",
        "webhook.aliyun-acr-secret": "o'ther",
    }
    assert set(secret) <= set(KEYS)
    ours = container(find(documents, "Deployment"), "argocd-image-updater")
    assert ours.spec["image"] == "registry.example.com/updater@sha256:" + "0" * 64
    assert ours.words == ["--disable-kubernetes", "--match-application-name", "team-*"]
    assert {"/more", "/scripts", "/app/rules"} <= set(ours.mounts)
    assert ours.pod["automountServiceAccountToken"] is True
    assert all(document["metadata"]["namespace"] == "tools" for document in documents if document["kind"] == "Service")


@pytest.mark.slow
def test_the_program_reads_what_the_values_become(tmp_path: Path) -> None:
    documents = template(tmp_path, EVERYTHING)
    data = find(documents, "ConfigMap", "argocd-image-updater-config")["data"]
    assert set(data) <= set(KEYS)
    environment = {KEYS[key].variable: text for key, text in data.items() if KEYS[key].variable}
    arguments = parse_arguments(["--disable-kubernetes"], options_of("run"))
    settings = resolve("run", arguments, environment, platform=Platform()).settings
    assert settings.seconds("interval") == 90
    assert settings.text("mode") == "continuous"
    assert settings.text("loglevel") == "trace"
    assert settings.text("argocd_server_addr") == "argocd.example.com"
    assert settings.is_on("argocd_insecure")
    assert data["git.commit-message-template"] == "build: update {{ .AppName }}\n\nby the updater\n"
    (own,) = [e for e in parse_registries(data["registries.conf"], "x").endpoints if e.name == "Own"]
    assert own.prefix == "registry.example.com"


@pytest.mark.slow
def test_services_lead_to_the_pod(tmp_path: Path) -> None:
    documents = template(tmp_path, EVERYTHING)
    labels = find(documents, "Deployment")["spec"]["template"]["metadata"]["labels"]
    services = [document for document in documents if document["kind"] == "Service"]
    assert [service["metadata"]["name"] for service in services] == [
        "shop-argocd-image-updater-metrics",
        "shop-argocd-image-updater-webhook",
    ]
    ports = container(find(documents, "Deployment"), "argocd-image-updater").ports
    for service in services:
        assert service["spec"]["selector"].items() <= labels.items()
        assert service["spec"]["ports"][0]["targetPort"] in ports
    monitor = find(documents, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= services[0]["metadata"]["labels"].items()
    assert monitor["namespaceSelector"]["matchNames"] == ["tools"]


@pytest.mark.slow
def test_without_cluster_roles_the_rights_stay_in_the_namespace(tmp_path: Path) -> None:
    documents = template(tmp_path, {"rbac": {"enabled": True}, "createClusterRoles": False})
    resources = [rule["resources"] for rule in find(documents, "Role")["rules"]]
    assert resources == [["secrets", "configmaps"], ["events"], ["applications"]]
    assert not {"ClusterRole", "ClusterRoleBinding"} & {document["kind"] for document in documents}


@pytest.mark.slow
def test_a_mounted_configuration_takes_the_place_of_variables(tmp_path: Path) -> None:
    values = {"config": {"mounted": True, "argocd": {"tokenSecretName": "mine"}, "interval": "90s"}}
    documents = template(tmp_path, values)
    deployment = find(documents, "Deployment")
    ours = container(deployment, "argocd-image-updater")
    assert ours.references == {}
    assert ours.literals["IMAGE_UPDATER_CONFIG_DIR"] in ours.mounts
    sources = ours.volumes["settings"]["projected"]["sources"]
    assert [next(iter(source.values()))["name"] for source in sources] == [
        "argocd-image-updater-config",
        "argocd-image-updater-secret",
        "mine",
    ]
    assert "annotations" not in deployment["spec"]["template"]["metadata"]


@pytest.mark.slow
def test_a_token_may_lie_in_a_secret_of_ones_own(tmp_path: Path) -> None:
    documents = template(tmp_path, {"config": {"argocd": {"tokenSecretName": "mine"}}})
    ours = container(find(documents, "Deployment"), "argocd-image-updater")
    assert ours.references["ARGOCD_TOKEN"] == ("secretKeyRef", "mine", "argocd.token")
    assert "Secret" not in {document["kind"] for document in documents}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({"config": {"argocd": {"serverAdress": "x"}}}, "serverAdress", id="a misspelt value"),
        pytest.param({"replicaCount": 2}, "replicaCount", id="two replicas"),
        pytest.param({"config": {"interval": "2 minutes"}}, "interval", id="an interval without a unit"),
        pytest.param({"config": {"webhook": {"secrets": {"gchr": "x"}}}}, "gchr", id="an unknown sender"),
        pytest.param({"config": {"extraKeys": {"per_repo_cap": 5}}}, "per_repo_cap", id="a key that is no text"),
        pytest.param(
            {"config": {"applicationsAPIKind": "kubernetes"}},
            "set config.applicationsAPIKind to argocd",
            id="Kubernetes",
        ),
        pytest.param({"rules": {"shop": "x"}}, "shop", id="a rules file without a suffix"),
        pytest.param({"ingress": {"enabled": True}}, "set config.webhook.enabled", id="an ingress to nothing"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it(tmp_path: Path, values: Document, said: str) -> None:
    assert said in refuse(tmp_path, values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "says", "says_not"),
    [
        pytest.param({}, "create secret generic", "does not use", id="without a token"),
        pytest.param({"config": {"argocd": {"token": "t"}}}, "logs deployment/", "create secret", id="with a token"),
        pytest.param({"rbac": {"enabled": True}}, "this release does not use", "not verified", id="with rights"),
        pytest.param({"config": {"argocd": {"insecure": True}}}, "not verified", "rbac.enabled", id="insecure"),
    ],
)
def test_the_notes_say_what_is_left_to_do(tmp_path: Path, values: Document, says: str, says_not: str) -> None:
    text = notes(tmp_path, values)
    assert says in text
    assert says_not not in text
