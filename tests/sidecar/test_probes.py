"""What probes and scrapers are answered, over real HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from sidecar.exposition import metrics_application
from sidecar.health import BuildFacts, health_application
from sidecar.server import Listener
from tests.sidecar.conftest import StartListener
from tests.sidecar.recording import RecordingLog
from updater.ports.log import NullLog
from updater.telemetry.metrics import MetricsOptions, PrometheusMetrics

pytestmark = pytest.mark.wire
BUILD = BuildFacts("v1.2.3+abcdef0", "abcdef0123", "2026-11-20T00:00:00Z")


@dataclass
class Health:
    """The facts of a process."""

    is_out_of_ports: bool = False
    reason: str = ""

    def why_not_ready(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(listener: Listener, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", listener.address.port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "health", "expected"),
    [
        pytest.param("/healthz", Health(), (200, b"OK\n"), id="healthy"),
        pytest.param("/healthz", Health(is_out_of_ports=True), (503, b"PORT-EXHAUSTION"), id="no ports left"),
        pytest.param("/healthz", Health(reason="starting"), (200, b"OK\n"), id="alive before it is ready"),
        pytest.param("/readyz", Health(), (200, b"OK\n"), id="ready"),
        pytest.param("/readyz", Health(reason="starting"), (503, b"starting\n"), id="not ready, with the reason"),
        pytest.param("/readyz", Health(is_out_of_ports=True), (503, b"PORT-EXHAUSTION"), id="not ready without ports"),
        pytest.param("/healthz/", Health(), (404, b"Not Found"), id="another path"),
        pytest.param("/", Health(), (404, b"Not Found"), id="no page"),
    ],
)
def test_probes(listen: StartListener, path: str, health: Health, expected: tuple[int, bytes]) -> None:
    answer = ask(listen(health_application(health, BUILD, NullLog())), path)
    assert (answer.status, answer.body) == expected
    assert answer.headers["X-Image-Updater-Version"] == BUILD.version
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_any_method_is_a_probe(listen: StartListener, method: str) -> None:
    answer = ask(listen(health_application(Health(), BUILD, NullLog())), "/healthz", method)
    assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else b"OK\n")


def test_the_version_is_told(listen: StartListener) -> None:
    listener = listen(health_application(Health(), BUILD, NullLog()))
    facts = json.loads(ask(listener, "/version").body)
    assert facts == {"version": BUILD.version, "commit": BUILD.commit, "buildDate": BUILD.build_date}
    refused = ask(listener, "/version", "POST")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_every_probe_leaves_one_trace_record_without_raw_text(listen: StartListener, log: RecordingLog) -> None:
    ask(listen(health_application(Health(), BUILD, log)), "/%1b[31m%0Ared" + "a" * 300)
    (record,) = [fields for level, event, fields in log.records if level == "trace"]
    path = str(record["path"])
    assert path.isprintable()
    assert len(path) <= 200
    assert (record["status"], record["method"], record["remote"]) == (404, "GET", "127.0.0.1")


@pytest.fixture
def metrics() -> PrometheusMetrics:
    measured = PrometheusMetrics(MetricsOptions())
    measured.increase("images_considered_total", 3, application="argocd/shop")
    return measured


def test_metrics_come_in_prometheus_text(listen: StartListener, metrics: PrometheusMetrics) -> None:
    answer = ask(listen(metrics_application(metrics, NullLog())), "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'argocd_image_updater_images_considered_total{application="argocd/shop"} 3.0\n' in answer.body
    assert b"argocd_image_updater_images_checked_total 3.0\n" in answer.body
    assert b"process_cpu_seconds_total" in answer.body


def test_metrics_come_as_openmetrics_and_packed_for_whoever_asks(
    listen: StartListener, metrics: PrometheusMetrics
) -> None:
    listener = listen(metrics_application(metrics, NullLog()))
    answer = ask(listener, "/metrics", Accept="application/openmetrics-text; version=1.0.0", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body).endswith(b"# EOF\n")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "GET", 404), ("/metrics/", "GET", 404), ("/metrics", "POST", 405)]
)
def test_nothing_else_is_served_on_the_metrics_port(
    listen: StartListener, metrics: PrometheusMetrics, path: str, method: str, status: int
) -> None:
    assert ask(listen(metrics_application(metrics, NullLog())), path, method).status == status
