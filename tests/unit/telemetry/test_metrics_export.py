"""What scrapers read, by way of the text that they would get."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from updater.ports.metrics import Metrics
from updater.telemetry.application_series import MAX_REMEMBERED
from updater.telemetry.catalogue import APPLICATION, CATALOGUE, PREFIX, Definition, MetricKind
from updater.telemetry.metrics import CONTENT_TYPE, MetricsOptions, PrometheusMetrics

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(metrics: PrometheusMetrics) -> Samples:
    """Our samples in the text exposition, by name without prefix and labels."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith(PREFIX)
    }


def value(metrics: PrometheusMetrics, name: str, /, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def measure(metrics: Metrics, definition: Definition, **labels: str) -> None:
    """Measure 1 with made-up label values, or those given."""
    wanted = {label: labels.get(label, f"some-{label}") for label in definition.labels}
    match definition.kind:
        case MetricKind.COUNTER:
            metrics.increase(definition.name, **wanted)
        case MetricKind.GAUGE:
            metrics.set(definition.name, 1, **wanted)
        case MetricKind.HISTOGRAM:
            metrics.observe(definition.name, 1, **wanted)


def test_everything_in_the_catalogue_is_exported_with_its_type_and_labels() -> None:
    metrics = PrometheusMetrics()
    for definition in CATALOGUE.values():
        measure(metrics, definition)
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    for definition in CATALOGUE.values():
        is_counter = definition.kind is MetricKind.COUNTER
        family = families[definition.full_name.removesuffix("_total") if is_counter else definition.full_name]
        assert (family.type, family.documentation) == (definition.kind.value, definition.help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(definition.labels)
        if definition.kind is MetricKind.HISTOGRAM:
            bounds = [sample.labels["le"] for sample in family.samples if "le" in sample.labels]
            assert [float(bound) for bound in bounds] == [*definition.buckets, float("inf")]


def test_counters_add_gauges_move_histograms_sort() -> None:
    metrics = PrometheusMetrics()
    metrics.increase("registry_requests_total", registry="https://r")
    metrics.increase("registry_requests_total", 2, registry="https://r")
    metrics.increase("registry_in_flight_requests", registry="https://r")
    metrics.increase("registry_in_flight_requests", -1, registry="https://r")
    metrics.set("applications_watched_total", 7)
    metrics.observe("update_cycle_duration_seconds", 45)
    assert value(metrics, "registry_requests_total", registry="https://r") == 3
    assert value(metrics, "registry_in_flight_requests", registry="https://r") == 0
    assert value(metrics, "applications_watched_total") == 7
    assert value(metrics, "update_cycle_duration_seconds_bucket", le="30.0") == 0
    assert value(metrics, "update_cycle_duration_seconds_bucket", le="60.0") == 1
    assert value(metrics, "update_cycle_duration_seconds_sum") == 45


def test_what_can_be_known_before_is_there_with_zero() -> None:
    found = samples(PrometheusMetrics())
    for definition in CATALOGUE.values():
        if not definition.labels:
            suffix = "_count" if definition.kind is MetricKind.HISTOGRAM else ""
            assert found[definition.name + suffix, frozenset()] == 0
    for reason in ("cooldown", "per-repo-cap", "in-flight", "concurrency"):
        assert found["scheduler_skipped_total", frozenset({("reason", reason)})] == 0
    for name in ("singleflight_leaders_total", "singleflight_followers_total"):
        assert found[name, frozenset({("kind", "tags")})] == 0
    assert found["images_checked_total", frozenset()] == 0


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(lambda metrics: metrics.increase("images_updated"), id="a name that is not there"),
        pytest.param(lambda metrics: metrics.increase(PREFIX + "images_updated_total", application="a"), id="prefix"),
        pytest.param(lambda metrics: metrics.increase("images_checked_total"), id="an alias"),
        pytest.param(lambda metrics: metrics.increase("images_updated_total"), id="a label is missing"),
        pytest.param(lambda metrics: metrics.increase("images_updated_total", app="a"), id="another label"),
        pytest.param(lambda metrics: metrics.increase("k8s_api_requests_total", verb="get"), id="one label too many"),
        pytest.param(lambda metrics: metrics.set("k8s_api_requests_total", 1), id="a counter is not set"),
        pytest.param(lambda metrics: metrics.observe("k8s_api_requests_total", 1), id="a counter is not observed"),
        pytest.param(lambda metrics: metrics.set("update_cycle_duration_seconds", 1), id="a histogram is not set"),
        pytest.param(lambda metrics: metrics.increase("update_cycle_duration_seconds"), id="nor increased"),
    ],
)
@pytest.mark.parametrize("per_application", [True, False])
def test_a_measurement_outside_the_catalogue_is_a_bug(
    mistake: Callable[[PrometheusMetrics], None], *, per_application: bool
) -> None:
    with pytest.raises(ValueError, match=r"^metric '"):
        mistake(PrometheusMetrics(MetricsOptions(per_application=per_application)))


def test_older_names_follow_the_newer() -> None:
    metrics = PrometheusMetrics()
    metrics.increase("images_errors_total", 2, application="argocd/shop")
    metrics.increase("images_considered_total", 3, application="argocd/shop")
    metrics.increase("images_considered_total", 4, application="argocd/cart")
    for name in ("images_errors_total", "images_updated_error_total", "images_updated_errors_total"):
        assert value(metrics, name, application="argocd/shop") == 2
    assert value(metrics, "images_checked_total") == 7
    without = PrometheusMetrics(MetricsOptions(has_aliases=False))
    without.increase("images_errors_total", application="argocd/shop")
    assert {name for name, _ in samples(without)} & {
        alias.name for definition in CATALOGUE.values() for alias in definition.aliases
    } == set()


def test_a_forgotten_application_leaves_no_series_and_gets_none_from_a_late_worker() -> None:
    metrics = PrometheusMetrics()
    for definition in CATALOGUE.values():
        measure(metrics, definition, application="argocd/gone")
        measure(metrics, definition, application="argocd/kept")
    metrics.forget("argocd/gone")
    for definition in filter(lambda definition: definition.is_per_application, CATALOGUE.values()):
        measure(metrics, definition, application="argocd/gone")
    text = metrics.render().decode()
    assert "argocd/gone" not in text
    for definition in filter(lambda definition: definition.is_per_application, CATALOGUE.values()):
        assert f'{definition.full_name}{"_sum" if definition.buckets else ""}{{application="argocd/kept"}}' in text
    assert value(metrics, "images_checked_total") == 2, "a counter does not go back"


def test_an_application_that_is_back_starts_anew() -> None:
    metrics = PrometheusMetrics()
    metrics.increase("images_updated_total", 5, application="argocd/shop")
    metrics.forget("argocd/shop")
    metrics.expect("argocd/shop")
    metrics.increase("images_updated_total", application="argocd/shop")
    assert value(metrics, "images_updated_total", application="argocd/shop") == 1


def test_the_memory_of_forgotten_applications_is_bounded() -> None:
    metrics = PrometheusMetrics()
    for number in range(MAX_REMEMBERED + 1):
        metrics.forget(f"argocd/{number}")
    metrics.increase("images_updated_total", application="argocd/1")
    metrics.increase("images_updated_total", application="argocd/0")
    assert value(metrics, "images_updated_total", application="argocd/1") is None
    assert value(metrics, "images_updated_total", application="argocd/0") == 1


def test_without_series_per_application_only_sums_are_left() -> None:
    metrics = PrometheusMetrics(MetricsOptions(per_application=False))
    for definition in CATALOGUE.values():
        measure(metrics, definition)
    found = samples(metrics)
    assert [labels for _, labels in found if APPLICATION in dict(labels)] == []
    assert found["images_checked_total", frozenset()] == 1
    assert "images_errors_total" not in metrics.render().decode()


def test_the_scope_of_a_token_is_shown_only_on_request() -> None:
    labels = {"registry": "https://r", "service": "s", "scope": "repository:team/app:pull"}
    quiet, detailed = PrometheusMetrics(), PrometheusMetrics(MetricsOptions(scope_detail=True))
    for metrics in (quiet, detailed):
        metrics.increase("registry_jwt_auth_requests_total", **labels)
    assert value(quiet, "registry_jwt_auth_requests_total", **{**labels, "scope": "pull"}) == 1
    assert value(detailed, "registry_jwt_auth_requests_total", **labels) == 1


def test_openmetrics_is_had_on_request() -> None:
    metrics = PrometheusMetrics()
    for definition in CATALOGUE.values():
        measure(metrics, definition)
    body, content_type = metrics.negotiate("application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    names = {family.name for family in parse_openmetrics(body.decode())}
    assert f"{PREFIX}images_updated" in names
    assert f"{PREFIX}images_watched_total" in names
    assert metrics.negotiate("")[1] == CONTENT_TYPE
    assert metrics.negotiate("*/*")[0].startswith(b"# HELP ")


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text"])
def test_no_series_tells_when_another_was_created(accept: str) -> None:
    metrics = PrometheusMetrics()
    for definition in CATALOGUE.values():
        measure(metrics, definition)
    assert b"_created" not in metrics.negotiate(accept)[0]


def test_the_language_is_measured_too() -> None:
    text = PrometheusMetrics().render().decode()
    assert "\npython_info{" in text
    assert "\nprocess_open_fds " in text


def test_nothing_reaches_the_global_registry() -> None:
    before = [family.name for family in REGISTRY.collect()]
    first, second = PrometheusMetrics(), PrometheusMetrics()
    first.increase("k8s_api_requests_total")
    assert value(second, "k8s_api_requests_total") == 0
    assert [family.name for family in REGISTRY.collect()] == before


def test_threads_lose_no_measurement_and_revive_no_application() -> None:
    metrics = PrometheusMetrics()

    def work(number: int) -> None:
        for step in range(200):
            metrics.increase("images_considered_total", application="argocd/kept")
            metrics.increase("images_updated_total", application=f"argocd/{number}")
            if step == 100:
                metrics.forget(f"argocd/{(number + 1) % 8}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert value(metrics, "images_considered_total", application="argocd/kept") == 1_600
    assert value(metrics, "images_checked_total") == 1_600
    assert [labels for name, labels in samples(metrics) if name == "images_updated_total"] == []


def test_it_is_what_code_measures_with() -> None:
    metrics: Metrics = PrometheusMetrics()
    metrics.increase("k8s_api_errors_total")


@given(st.lists(st.sampled_from([0.0, 0.004, 0.005, 0.3, 1, 1.5, 600, 601, 1e9]), max_size=20))
def test_attempts_of_an_application_are_sorted_as_the_library_sorts(durations: list[float]) -> None:
    name = "application_update_duration_seconds"
    metrics, theirs = PrometheusMetrics(), CollectorRegistry()
    histogram = Histogram(PREFIX + name, "", [APPLICATION], registry=theirs, buckets=CATALOGUE[name].buckets)
    for seconds in durations:
        metrics.observe(name, seconds, application="argocd/shop")
        histogram.labels("argocd/shop").observe(seconds)
    expected = {
        line for line in generate_latest(theirs).decode().splitlines() if "{" in line and "_created" not in line
    }
    assert {line for line in metrics.render().decode().splitlines() if f"{name}_" in line and "{" in line} == expected


def test_the_series_of_an_application_take_little_memory() -> None:
    metrics = PrometheusMetrics()
    keys = [f"argocd/{number}" for number in range(500)]
    definitions = [definition for definition in CATALOGUE.values() if definition.is_per_application]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for key in keys:
            for definition in definitions:
                measure(metrics, definition, application=key)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(keys) < 600
