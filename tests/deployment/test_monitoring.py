"""Alerts, dashboard and exposition: judged by promtool, and held to the metrics that the program has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.deployment.alert_cases import CASES, PREFIX, Case
from tests.deployment.documents import CONFIG, Document, load
from tests.deployment.monitoring import ALERTS, DASHBOARD, RULES, filled, targets
from tests.deployment.tools import need_packaged, run_tool
from updater.telemetry.catalogue import CATALOGUE, Definition, MetricKind
from updater.telemetry.metrics import MetricsOptions, PrometheusMetrics

GAUGES_NAMED_AS_COUNTERS = frozenset(
    {"argocd_image_updater_applications_watched_total", "argocd_image_updater_images_watched_total"}
)
"""What promtool complains about and stays: dashboards know these gauges of the older updater by these names."""

_OURS = re.compile(rf"\b{PREFIX}\w+")
_SELECTED = re.compile(r"\{([^{}]*)\}")


def exported_names() -> set[str]:
    """Every name of a series that the program publishes."""
    return {name for definition in CATALOGUE.values() for name in _series(definition)}


def _series(definition: Definition) -> Iterator[str]:
    for name in (definition.name, *(alias.name for alias in definition.aliases)):
        yield PREFIX + name
        if definition.kind is MetricKind.HISTOGRAM:
            yield from (f"{PREFIX}{name}_{part}" for part in ("bucket", "sum", "count"))


def exposition() -> str:
    """What a scrape gives once everything has been measured."""
    metrics = PrometheusMetrics(MetricsOptions())
    measure = {
        MetricKind.COUNTER: metrics.increase,
        MetricKind.GAUGE: metrics.set,
        MetricKind.HISTOGRAM: metrics.observe,
    }
    for definition in CATALOGUE.values():
        known = {label: values[0] for label, values in definition.values}
        measure[definition.kind](definition.name, 1, **{label: known.get(label, "x") for label in definition.labels})
    return metrics.render().decode()


def test_promtool_accepts_every_metric_but_the_listed() -> None:
    promtool = need_packaged("promtool", "prometheus")
    complaints = run_tool([promtool, "check", "metrics"], exposition(), status=3)
    assert {line.split()[0] for line in complaints.splitlines()} == GAUGES_NAMED_AS_COUNTERS
    assert all("_total" in line for line in complaints.splitlines())


def test_promtool_accepts_the_alerts(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(RULES))
    said = run_tool([need_packaged("promtool", "prometheus"), "check", "rules", "--lint-fatal", str(rules)])
    assert f"{len(ALERTS)} rules found" in said


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    names = {alert["alert"] for alert in ALERTS}
    assert {case.alert for case in CASES if case.fires} == names
    assert {case.alert for case in CASES if not case.fires} == names


@pytest.mark.slow
def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [_unit_test(case) for case in CASES],
    }
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump(tests))
    run_tool([need_packaged("promtool", "prometheus"), "test", "rules", str(path)])


@pytest.mark.slow
def test_promtool_notices_an_alert_that_does_not_do_what_its_case_says(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    turned = [_unit_test(replace(case, fires=not case.fires)) for case in CASES]
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": turned}))
    said = run_tool([need_packaged("promtool", "prometheus"), "test", "rules", str(path)], status=1)
    assert said.count("exp:") == len(CASES)


def _unit_test(case: Case) -> Document:
    query = f'count by (alertname) (ALERTS{{alertname="{case.alert}",alertstate="firing"}})'
    expected = {"labels": f'{{alertname="{case.alert}"}}', "value": 1}
    return {
        "name": f"{case.alert}: {case.name}",
        "interval": "1m",
        "input_series": [{"series": PREFIX + name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": f"{case.minute}m", "exp_samples": [expected] if case.fires else []}
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{case.name}".replace(" ", "-"))
def test_a_case_uses_only_metrics_and_labels_of_the_program(case: Case) -> None:
    for series in case.series:
        name, _, labels = series.rstrip("}").partition("{")
        given = {pair.partition("=")[0] for pair in labels.split(",")} - {"namespace", "pod"}
        assert given == set(CATALOGUE[name].labels)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_made_of_metrics_of_the_program_and_explained(alert: Document) -> None:
    names = set(_OURS.findall(alert["expr"]))
    assert names
    assert names <= exported_names()
    assert alert["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(alert["annotations"]) == {"summary", "description"}
    assert f"`{alert['alert']}`" in (CONFIG.parent / "docs" / "monitoring.md").read_text()


@pytest.mark.parametrize(("title", "expression"), targets(), ids=[title for title, _ in targets()])
def test_a_panel_is_made_of_metrics_of_the_program(title: str, expression: str) -> None:
    names = set(_OURS.findall(expression))
    assert names <= exported_names()
    labels = {label for text in _SELECTED.findall(expression) for label in re.findall(r"(\w+)\s*[=!]", text)}
    known = {label for definition in CATALOGUE.values() for label in definition.labels}
    assert labels <= known | {"namespace", "job", "le"}, title


def test_promtool_accepts_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel_{number}", "expr": filled(text)} for number, (_, text) in enumerate(targets())]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run_tool([need_packaged("promtool", "prometheus"), "check", "rules", str(path)])


def test_every_panel_has_its_own_place_and_number() -> None:
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])


def test_every_variable_of_the_dashboard_is_defined() -> None:
    text = json.dumps(DASHBOARD)
    defined = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__range", "__all"}
    assert used <= defined


def test_the_service_monitor_finds_the_service() -> None:
    monitor = load("monitoring/argocd-image-updater-servicemonitor.yaml")[0]["spec"]
    for path in (
        "base/service/argocd-image-updater-service.yaml",
        "sidecar-argocd/argocd-image-updater-metrics-service.yaml",
    ):
        service = load(path)[0]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert monitor["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]
