"""What scrapers see of a registry's client, against what its registry was really asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryError
from updater.model.images import Inspection
from updater.model.references import ImageRepository
from updater.playground.registry import Pagination, PlaygroundRegistry
from updater.registry.client import RegistryClient
from updater.registry.credential_sources import parse_credential_source
from updater.registry.credentials import CredentialReader
from updater.registry.endpoints import Endpoint, EndpointTable
from updater.telemetry.catalogue import PREFIX
from updater.telemetry.metrics import PrometheusMetrics

pytestmark = pytest.mark.wire

REPOSITORY = ImageRepository("reg.test", "team/app")
TAGS = ("1.0", "1.1", "1.2")


class HastyClock(SystemClock):
    """The real clock, on which waiting takes no time."""

    def wait_s(self, seconds: float) -> bool:
        return True


@dataclass(frozen=True)
class Scraped:
    """A client of one registry and its metrics."""

    client: RegistryClient
    clock: SystemClock
    metrics: PrometheusMetrics
    registry: PlaygroundRegistry

    def list(self) -> None:
        self.client.fetch_tags(REPOSITORY, Deadline.after(self.clock, 30))

    def sum(self, name: str, **labels: str) -> float:
        """Over the samples that have these labels."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.metrics.render().decode())
            for sample in family.samples
            if sample.name == PREFIX + name and labels.items() <= sample.labels.items()
        )

    @property
    def asked(self) -> int:
        """Requests to the API that arrived, those for tokens left out."""
        return sum(not asked.path.startswith("/token") for asked in self.registry.requests)


@pytest.fixture
def registry() -> Iterator[PlaygroundRegistry]:
    with PlaygroundRegistry() as running:
        for tag in TAGS:
            running.push("team/app", tag)
        yield running


@pytest.fixture
def scraped(registry: PlaygroundRegistry) -> Iterator[Scraped]:
    source = parse_credential_source("env:LOGIN")
    endpoint = Endpoint("reg", "reg.test", registry.address, credentials=source, requests_per_s=0)
    clock, metrics = HastyClock(), PrometheusMetrics()
    reader = CredentialReader({"LOGIN": "bot:right"})
    client = RegistryClient(EndpointTable([endpoint]), reader, clock, metrics=metrics)
    yield Scraped(client, clock, metrics, registry)
    client.close()


def test_every_request_is_counted_once(scraped: Scraped) -> None:
    scraped.registry.pagination = Pagination(limit=1)
    scraped.list()
    inspection = Inspection(("linux/amd64",), wants_created=True)
    scraped.client.fetch_candidates(REPOSITORY, TAGS, inspection, Deadline.after(scraped.clock, 30))
    assert scraped.asked >= 2 * len(TAGS) + 3
    assert scraped.sum("registry_requests_total", registry=scraped.registry.address) == scraped.asked
    assert scraped.sum("registry_http_status_total", code="200") == scraped.asked
    assert scraped.sum("registry_request_duration_seconds_count") == scraped.asked
    assert scraped.sum("registry_in_flight_requests") == 0
    for name in ("registry_requests_failed_total", "registry_errors_total", "registry_request_retries_total"):
        assert scraped.sum(name) == 0


def test_a_list_is_fetched_once_and_shared_after_that(scraped: Scraped) -> None:
    for _ in range(3):
        scraped.list()
    assert scraped.sum("registry_tags_polls_total", result="fetched") == 1
    assert scraped.sum("registry_tags_polls_total", result="shared") == 2
    assert scraped.sum("singleflight_leaders_total", kind="tags") >= 1


def test_tokens_are_counted_apart(scraped: Scraped) -> None:
    scraped.registry.require_bearer("bot", "right", token_lifetime_s=300)
    scraped.list()
    labels = {"registry": scraped.registry.address, "service": "playground", "scope": "pull"}
    assert scraped.sum("registry_jwt_auth_requests_total", **labels) == 1
    assert scraped.sum("registry_jwt_auth_duration_seconds_count", **labels) == 1
    assert scraped.sum("registry_jwt_token_ttl_seconds_sum", **labels) == 300
    assert scraped.sum("registry_jwt_auth_errors_total") == 0
    assert scraped.sum("registry_requests_total") == scraped.asked


def test_a_refused_token_names_its_reason(scraped: Scraped) -> None:
    scraped.registry.require_bearer("bot", "changed")
    with pytest.raises(RegistryError):
        scraped.list()
    assert scraped.sum("registry_jwt_auth_errors_total", reason="http_401") == 1
    assert scraped.sum("registry_errors_total", kind="auth_error") >= 1


Fault = Callable[[PlaygroundRegistry], None]


@pytest.mark.parametrize(
    ("fault", "kind", "repeats"),
    [
        pytest.param(lambda registry: registry.faults.status(503, times=1), "5xx", 1, id="once 503"),
        pytest.param(lambda registry: registry.faults.reset(times=1), "dial_error", 1, id="once a reset"),
        pytest.param(lambda registry: registry.faults.status(404), "not_found", 0, id="404"),
        pytest.param(lambda registry: registry.faults.status(403), "auth_error", 0, id="403"),
        pytest.param(lambda registry: registry.faults.status(500), "5xx", 2, id="always 500"),
    ],
)
def test_failures_are_counted_by_kind(scraped: Scraped, fault: Fault, kind: str, repeats: int) -> None:
    fault(scraped.registry)
    failures = 0
    try:
        scraped.list()
    except RegistryError:
        failures = 1
    assert scraped.sum("registry_errors_total", kind=kind) == repeats + failures
    assert scraped.sum("registry_errors_total") == repeats + failures
    assert scraped.sum("registry_request_retries_total", op="tags") == repeats
    assert scraped.sum("registry_in_flight_requests") == 0
    assert scraped.sum("registry_tags_polls_total", result="failed") == failures
