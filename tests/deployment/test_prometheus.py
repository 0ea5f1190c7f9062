"""Debian's own Prometheus scrapes the program, loads the alerts, and answers what the dashboard asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from tests.deployment.monitoring import ALERTS, RULES, filled, targets
from tests.deployment.tools import need_packaged
from tests.ports import free_port
from tests.program import program_command
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.slow, pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 100.0
SEEN = (
    "argocd_image_updater_applications_watched_total",
    "argocd_image_updater_images_considered_total",
    "argocd_image_updater_images_checked_total",
    "argocd_image_updater_argocd_api_requests_total",
    "argocd_image_updater_registry_request_duration_seconds_bucket",
    "argocd_image_updater_update_cycle_last_end_timestamp",
    "process_resident_memory_bytes",
)
"""What a round over the playground's Applications leaves behind."""


class Prometheus:
    """A running server and its API."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, path: str, **query: str) -> Any:
        """The data of an answer; raises ``OSError`` for an error, with the server's words in it."""
        words = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/{path}?{words}", timeout=10) as answer:
            return json.load(answer)["data"]

    def has(self, expression: str) -> bool:
        """Whether an expression has a value at this moment."""
        return self.count(expression) > 0

    def count(self, expression: str) -> int:
        return len(self.ask("query", query=expression)["result"])


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Looks again and again; a server that does not answer yet is a condition that does not hold yet."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.1)):
        try:
            if condition():
                return
        except OSError:
            pass
        pause.wait(0.1)
    raise AssertionError(what)


@pytest.fixture(scope="module")
def metrics_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a program that makes rounds."""
    port = free_port()
    with Showcase() as showcase:
        registries = tmp_path_factory.mktemp("updater") / "registries.conf"
        registries.write_text(showcase.registries_conf)
        flags = ["--disable-kubernetes", "--interval=1s", "--health-port=0", f"--metrics-port={port}", "--status-addr="]
        process = subprocess.Popen(
            [*program_command(), "run", *flags, f"--registries-conf-path={registries}"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "APPLICATIONS_API": "argocd",
                "ARGOCD_SERVER": showcase.web.url,
                "ARGOCD_GRPC_WEB": "true",
                "ARGOCD_TOKEN": showcase.token,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


@pytest.fixture(scope="module")
def prometheus(metrics_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    program = need_packaged("prometheus", "prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "rules.yaml").write_text(yaml.safe_dump(RULES))
    labels = {"namespace": "argocd", "pod": "updater-1"}
    job = {"job_name": "updater", "static_configs": [{"targets": [f"127.0.0.1:{metrics_port}"], "labels": labels}]}
    settings = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump({**settings, "rule_files": ["rules.yaml"]}))
    flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    process = subprocess.Popen(
        [program, *flags, f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Prometheus(port)
    wait_until(lambda: server.count("up == 1") == 1, "the program is not scraped")
    yield server
    process.kill()
    process.wait()


@pytest.mark.parametrize("name", SEEN)
def test_prometheus_reads_what_the_program_publishes(prometheus: Prometheus, name: str) -> None:
    wait_until(lambda: prometheus.count(f'{name}{{namespace="argocd"}}') > 0, name)


def test_prometheus_is_content_with_every_scrape(prometheus: Prometheus) -> None:
    (target,) = prometheus.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


def test_prometheus_knows_gauges_and_counters_by_their_kinds(prometheus: Prometheus) -> None:
    wait_until(lambda: prometheus.count(SEEN[0]) > 0, SEEN[0])
    kinds = {name: entries[0]["type"] for name, entries in prometheus.ask("metadata").items()}
    assert kinds["argocd_image_updater_applications_watched_total"] == "gauge"
    histogram = "argocd_image_updater_registry_request_duration_seconds"
    assert kinds[histogram] == "histogram"


def test_prometheus_evaluates_every_alert(prometheus: Prometheus) -> None:
    def rules() -> list[Any]:
        return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), "rules are not evaluated")
    assert {rule["name"]: rule["health"] for rule in rules()} == {alert["alert"]: "ok" for alert in ALERTS}


def test_prometheus_answers_every_panel(prometheus: Prometheus) -> None:
    expressions = {title: filled(text) for title, text in targets()}
    assert not [text for text in expressions.values() if "$" in text]
    for title in ("Applications watched", "Latency", "Duration of a cycle"):
        wait_until(partial(prometheus.has, expressions[title]), title)
    kinds = {prometheus.ask("query", query=text)["resultType"] for text in expressions.values()}
    assert kinds == {"vector"}
