"""What the registry client measures fits the catalogue, names that are put together included."""

from __future__ import annotations

import inspect

from updater.clock import Deadline, SystemClock
from updater.errors import RegistryUnavailable
from updater.registry.measures import RegistryMeasures
from updater.telemetry.metrics import PrometheusMetrics

URL = "https://reg.test"


def test_every_measurement_of_the_registry_client_is_exported() -> None:
    metrics = PrometheusMetrics()
    measures = RegistryMeasures(metrics)
    deadline = Deadline.after(SystemClock(), 60)
    error = RegistryUnavailable("busy", where="here")
    calls = {
        "exchange_began": lambda: measures.exchange_began(URL),
        "exchange_ended": lambda: [measures.exchange_ended(URL, 0.2, status) for status in (200, None)],
        "attempt_failed": lambda: measures.attempt_failed(URL, error, deadline, is_last=True),
        "repeated": lambda: measures.repeated(URL, "tags"),
        "gate_closed": lambda: measures.gate_closed(URL, 30),
        "flight": lambda: [measures.flight("tags", is_leader=is_leader) for is_leader in (True, False)],
        "looked_up": lambda: [measures.looked_up("tags", was_known=was_known) for was_known in (True, False)],
        "tags_wanted": lambda: measures.tags_wanted(URL, "fetched"),
        "token_asked": lambda: measures.token_asked(URL, "s", "repository:a:pull", 0.1, "timeout"),
        "token_issued": lambda: measures.token_issued(URL, "s", "repository:a:pull", 300),
    }
    methods = {name for name, _ in inspect.getmembers(RegistryMeasures, inspect.isfunction) if not name.startswith("_")}
    assert set(calls) == methods
    for call in calls.values():
        call()
    lines = metrics.render().decode().splitlines()
    for sample in (
        f'registry_requests_total{{registry="{URL}"}} 1.0',
        f'registry_requests_failed_total{{registry="{URL}"}} 2.0',
        f'registry_in_flight_requests{{registry="{URL}"}} -1.0',
        f'registry_request_duration_seconds_count{{registry="{URL}"}} 2.0',
        f'registry_http_status_total{{code="200",registry="{URL}"}} 1.0',
        f'registry_errors_total{{kind="5xx",registry="{URL}"}} 1.0',
        f'registry_request_retries_total{{op="tags",registry="{URL}"}} 1.0',
        f'registry_gate_seconds{{registry="{URL}"}} 30.0',
        'singleflight_leaders_total{kind="tags"} 1.0',
        'singleflight_followers_total{kind="tags"} 1.0',
        'registry_cache_hits_total{cache="tags"} 1.0',
        'registry_cache_misses_total{cache="tags"} 1.0',
        f'registry_tags_polls_total{{registry="{URL}",result="fetched"}} 1.0',
        f'registry_jwt_auth_requests_total{{registry="{URL}",scope="pull",service="s"}} 1.0',
        f'registry_jwt_auth_errors_total{{reason="timeout",registry="{URL}",scope="pull",service="s"}} 1.0',
        f'registry_jwt_auth_duration_seconds_count{{registry="{URL}",scope="pull",service="s"}} 1.0',
        f'registry_jwt_token_ttl_seconds_bucket{{le="300.0",registry="{URL}",scope="pull",service="s"}} 1.0',
    ):
        assert f"argocd_image_updater_{sample}" in lines
