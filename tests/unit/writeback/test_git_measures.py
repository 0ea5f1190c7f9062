"""What writing leaves in the exposition."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.git.bench import intent_for
from updater.errors import GitError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.telemetry.metrics import PrometheusMetrics
from updater.writeback.git_measures import UNUSED_S, GitMeasures, repository_label

_QUEUE = "argocd_image_updater_git_queue_length"


class ManualClock:
    """Advanced by hand."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return self.at_s

    def wait_s(self, seconds: float) -> bool:
        self.at_s += seconds
        return True

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


@pytest.fixture
def measures(metrics: PrometheusMetrics, clock: ManualClock) -> GitMeasures:
    return GitMeasures(metrics, clock)


def _lines(metrics: PrometheusMetrics, beginning: str) -> list[str]:
    name = f"argocd_image_updater_git_{beginning}"
    return [line for line in metrics.render().decode().splitlines() if line.startswith(name)]


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://bot:secret@H.test/Acme/Deploy.git", "https://h.test/acme/deploy"),
        ("http://h.test:8080/a", "http://h.test:8080/a"),
        ("git@h.test:acme/deploy.git", "h.test/acme/deploy"),
        ("ssh://git@h.test:2222/acme/deploy", "h.test:2222/acme/deploy"),
    ],
)
def test_a_repository_is_named_by_its_address_without_a_user(url: str, label: str) -> None:
    assert repository_label(parse_git_remote(url)) == label


def test_the_queue_of_a_repository_grows_and_shrinks(metrics: PrometheusMetrics, measures: GitMeasures) -> None:
    intents = [intent_for("https://h.test/a", "1", app=name) for name in "abc"]
    measures.arrived(intents)
    assert _lines(metrics, "queue_length") == [f'{_QUEUE}{{repository="https://h.test/a"}} 3.0']
    measures.ended(intents, [WriteBackResult(each.change_set, WriteOutcome.WRITTEN) for each in intents])
    assert _lines(metrics, "queue_length") == [f'{_QUEUE}{{repository="https://h.test/a"}} 0.0']


def test_the_series_of_a_repository_goes_after_an_hour_without_a_change(
    metrics: PrometheusMetrics, measures: GitMeasures, clock: ManualClock
) -> None:
    idle, busy, other = (intent_for(f"https://h.test/{name}", "1") for name in ("idle", "busy", "other"))
    measures.arrived([idle, busy])
    measures.ended([idle], [])
    clock.at_s += UNUSED_S + 1
    measures.arrived([other])
    assert [line.partition("repository=")[2] for line in _lines(metrics, "queue_length")] == [
        '"https://h.test/busy"} 1.0',
        '"https://h.test/other"} 1.0',
    ]


def test_a_wait_ends_when_the_batch_begins(
    metrics: PrometheusMetrics, measures: GitMeasures, clock: ManualClock
) -> None:
    intents = [intent_for("https://h.test/a", "1", app=name) for name in "ab"]
    measures.arrived(intents)
    clock.at_s += 3.0
    measures.began(intents)
    assert _lines(metrics, "queue_wait_seconds_sum") == ["argocd_image_updater_git_queue_wait_seconds_sum 6.0"]
    assert _lines(metrics, "batch_size_sum") == ["argocd_image_updater_git_batch_size_sum 2.0"]


def test_failures_count_by_code_and_what_is_there_already_counts_apart(
    metrics: PrometheusMetrics, measures: GitMeasures
) -> None:
    intents = [intent_for("https://h.test/a", "1", app=name) for name in "abc"]
    measures.arrived(intents)
    outcomes = [(WriteOutcome.FAILED, "push_denied"), (WriteOutcome.UNCHANGED, ""), (WriteOutcome.WRITTEN, "")]
    measures.ended(
        intents,
        [
            WriteBackResult(each.change_set, outcome, error_code=code)
            for each, (outcome, code) in zip(intents, outcomes, strict=True)
        ],
    )
    assert _lines(metrics, "writeback_") == [
        'argocd_image_updater_git_writeback_errors_total{code="push_denied"} 1.0',
        "argocd_image_updater_git_writeback_unchanged_total 1.0",
    ]


def test_an_operation_counts_with_its_result_and_duration(
    metrics: PrometheusMetrics, measures: GitMeasures, clock: ManualClock
) -> None:
    with measures.operation("push") as outcome:
        clock.at_s += 2.0
        outcome.tell("race")
    with measures.operation("push"):
        pass
    with pytest.raises(GitError), measures.operation("push"):
        raise GitError("no")
    counted = [line for line in _lines(metrics, 'operations_total{op="push"') if not line.endswith(" 0.0")]
    assert [line.partition("result=")[2] for line in counted] == ['"success"} 1.0', '"failure"} 1.0', '"race"} 1.0']
    duration = 'operation_duration_seconds_sum{op="push"}'
    assert _lines(metrics, duration) == [f"argocd_image_updater_git_{duration} 2.0"]


def test_a_dropped_series_is_gone_and_begins_anew(metrics: PrometheusMetrics) -> None:
    metrics.increase("git_queue_length", 5, repository="a")
    metrics.drop("git_queue_length", repository="a")
    metrics.drop("git_queue_length", repository="a")
    assert _lines(metrics, "queue_length") == []
    metrics.increase("git_queue_length", 1, repository="a")
    assert _lines(metrics, "queue_length") == [f'{_QUEUE}{{repository="a"}} 1.0']
    with pytest.raises(ValueError, match="all together"):
        metrics.drop("images_updated_total", application="argocd/a")
