"""Every metric of the program in one table: what may be measured, under which name, with which labels.

Names stand without their common prefix; code measures under these names (``updater.ports.metrics``), and
``docs/metrics.md`` is written from this table. Sources: ``runtime.md`` 5.2 to 5.5 and ``registries.md`` 5.8. Never:
values, or anything of the library that exports them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

PREFIX = "argocd_image_updater_"
APPLICATION = "application"
SCOPE = "scope"
PLAIN_SCOPE = "pull"
"""What stands in for a token's scope, which names a repository: one series per repository and bucket is too many."""

_SHORT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Buckets of the older updater, which are those of the Go client library (``runtime.md`` 5.4)."""
_LONG_S = (*_SHORT_S, 30, 60, 120, 300, 600)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_LIFETIME_S = (60, 120, 300, 600, 900, 1_800, 3_600, 43_200)


class MetricKind(Enum):
    """The type of a metric, by the word of the exposition format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Alias:
    """A second name under which dashboards look for a metric; without ``keeps_labels`` it is the sum over them."""

    name: str
    keeps_labels: bool = True


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric. ``buckets`` are upper bounds, in seconds or counts; ``values`` are known values by label, for people.

    ``starts_at_zero``: the series of these values exist before anything was measured, as those without labels do.
    """

    name: str
    kind: MetricKind
    help: str
    source: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    starts_at_zero: bool = False
    aliases: tuple[Alias, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as it is exported."""
        return PREFIX + self.name

    @property
    def is_per_application(self) -> bool:
        return APPLICATION in self.labels


_BASE = "runtime.md 5.2"
_FLEET = "runtime.md 5.3"
_NAMES = "runtime.md 5.5"
_REGISTRY = "registries.md 5.8"
_WEBHOOK = "ours, beside runtime.md 7"
_PER_APPLICATION = (APPLICATION,)
_PER_REGISTRY = ("registry",)
_PER_TOKEN = ("registry", "service", SCOPE)
_FLIGHT_KINDS = ("kind", ("tags", "manifest", "head", "blob", "auth", "creds", "ping", "labels"))


def _counter(name: str, text: str, source: str, *labels: str, aliases: tuple[Alias, ...] = ()) -> Definition:
    return Definition(name, MetricKind.COUNTER, text, source, labels, aliases=aliases)


def _gauge(name: str, text: str, source: str, *labels: str) -> Definition:
    return Definition(name, MetricKind.GAUGE, text, source, labels)


def _histogram(name: str, text: str, source: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Definition:
    return Definition(name, MetricKind.HISTOGRAM, text, source, labels, buckets)


def _listed(
    name: str, text: str, labels: tuple[str, ...], *values: tuple[str, tuple[str, ...]], source: str = _REGISTRY
) -> Definition:
    """A counter with labels whose values are known."""
    is_whole = len(labels) == len(values)
    return Definition(name, MetricKind.COUNTER, text, source, labels, values=values, starts_at_zero=is_whole)


ROUNDS = (
    _gauge("applications_watched_total", "Applications that are looked after; a gauge in spite of its name", _BASE),
    _gauge(
        "images_watched_total",
        "Images considered in the latest run of the Application; a gauge in spite of its name",
        _BASE,
        APPLICATION,
    ),
    _counter("images_updated_total", "Images updated; dry runs do not count", _BASE, APPLICATION),
    _counter(
        "images_errors_total",
        "Errors of the runs of the Application",
        _BASE,
        APPLICATION,
        aliases=(Alias("images_updated_error_total"), Alias("images_updated_errors_total")),
    ),
    _counter(
        "images_considered_total",
        "Images that were considered",
        _FLEET,
        APPLICATION,
        aliases=(Alias("images_checked_total", keeps_labels=False),),
    ),
    _counter("images_skipped_total", "Images that were skipped", _FLEET, APPLICATION),
    _histogram(
        "application_update_duration_seconds",
        "Duration of one attempt at an Application; in a round since its beginning",
        _FLEET,
        _PER_APPLICATION,
        _LONG_S,
    ),
    _gauge("application_last_attempt_timestamp", "Unix time at which the latest attempt began", _FLEET, APPLICATION),
    _gauge("application_last_success_timestamp", "Unix time at which the latest success ended", _FLEET, APPLICATION),
    _listed(
        "scheduler_skipped_total",
        "Applications that a scheduling pass put off",
        ("reason",),
        ("reason", ("cooldown", "per-repo-cap", "in-flight", "concurrency")),
        source=_FLEET,
    ),
    _histogram("update_cycle_duration_seconds", "Duration of a cycle, warm-up left out", _FLEET, (), _LONG_S),
    _gauge("update_cycle_last_end_timestamp", "Unix time at which the latest cycle ended; 0 before the first", _FLEET),
)

PEERS = (
    _counter("argocd_api_requests_total", "Calls to the Argo CD API", _BASE, "argocd_server"),
    _counter("argocd_api_errors_total", "Calls to the Argo CD API that failed", _BASE, "argocd_server"),
    _counter("k8s_api_requests_total", "Calls to the Kubernetes API", _BASE),
    _counter("k8s_api_errors_total", "Calls to the Kubernetes API that failed", _BASE),
    _gauge("port_exhaustion_degraded", "1 while the system has no ports left for outgoing connections", _NAMES),
)

REGISTRIES = (
    _counter("registry_requests_total", "HTTP exchanges with the registry, repeats included", _BASE, "registry"),
    _counter(
        "registry_requests_failed_total", "Requests without an answer, or with a final 429 or 5xx", _BASE, "registry"
    ),
    _gauge("registry_in_flight_requests", "Requests that are on their way", _REGISTRY, "registry"),
    _histogram(
        "registry_request_duration_seconds",
        "Duration of one request from its slot until its body is read",
        _REGISTRY,
        _PER_REGISTRY,
        _SHORT_S,
    ),
    _counter("registry_http_status_total", "Answers of the registry by their status", _REGISTRY, "registry", "code"),
    _listed(
        "registry_request_retries_total",
        "Requests that were repeated",
        ("registry", "op"),
        ("op", ("auth", "tags", "manifest", "blob", "ping")),
    ),
    _listed(
        "registry_errors_total",
        "Requests that failed, and error answers, by kind",
        ("registry", "kind"),
        (
            "kind",
            (
                "timeout",
                "dial_error",
                "auth_error",
                "429",
                "5xx",
                "ctx_deadline",
                "tls",
                "dns",
                "not_found",
                "bad_response",
                "too_large",
                "digest_mismatch",
            ),
        ),
    ),
    _listed(
        "registry_tags_polls_total",
        "Tag lists that were wanted, by how they were had",
        ("registry", "result"),
        ("result", ("fetched", "shared", "not_modified", "webhook_skipped", "failed")),
    ),
    _counter("registry_cache_hits_total", "Facts that a cache knew", _REGISTRY, "cache"),
    _counter("registry_cache_misses_total", "Facts that a cache did not know", _REGISTRY, "cache"),
    _gauge("registry_gate_seconds", "Length of the latest pause that the registry asked for", _REGISTRY, "registry"),
    _listed(
        "registry_config_reloads_total",
        "Readings of registries.conf after a change",
        ("result",),
        ("result", ("success", "failure")),
    ),
    _listed("singleflight_leaders_total", "Calls that were performed", ("kind",), _FLIGHT_KINDS),
    _listed("singleflight_followers_total", "Calls that waited for the same call of another", ("kind",), _FLIGHT_KINDS),
)

TOKENS = (
    _counter("registry_jwt_auth_requests_total", "Requests for a registry token", _REGISTRY, *_PER_TOKEN),
    _listed(
        "registry_jwt_auth_errors_total",
        "Requests for a registry token that failed",
        (*_PER_TOKEN, "reason"),
        (
            "reason",
            ("roundtrip_error", "http_<code>", "read_body_error", "parse_json_error", "no_token", "timeout"),
        ),
    ),
    _histogram(
        "registry_jwt_auth_duration_seconds", "Duration of a request for a token", _REGISTRY, _PER_TOKEN, _SHORT_S
    ),
    _histogram(
        "registry_jwt_token_ttl_seconds", "Lifetimes of the tokens that were issued", _REGISTRY, _PER_TOKEN, _LIFETIME_S
    ),
)

WEBHOOKS = (
    _counter(
        "webhook_requests_total",
        "Webhooks that arrived, by sender and by what became of them: accepted, or the code of the rejection",
        _WEBHOOK,
        "type",
        "result",
    ),
    _listed(
        "webhook_events_total",
        "Events of accepted webhooks as they wait (queued, merged, dropped) and as they end",
        ("result",),
        ("result", ("queued", "merged", "dropped", "processed", "unmatched", "failed")),
        source=_WEBHOOK,
    ),
    _gauge("webhook_queue_length", "Repositories with an event that waits to be processed", _WEBHOOK),
)

_GIT_SOURCE = "write-back.md 7.4"
GIT = (
    _listed(
        "git_operations_total",
        "Operations on Git remotes and their forges",
        ("op", "result"),
        ("op", ("ls_refs", "fetch", "commit", "push", "api_commit", "pull_request")),
        ("result", ("success", "failure", "race", "denied", "unknown")),
        source=_GIT_SOURCE,
    ),
    _histogram("git_operation_duration_seconds", "Duration of such an operation", _GIT_SOURCE, ("op",), _LONG_S),
    _listed(
        "git_push_retries_total",
        "Pushes that were tried again",
        ("reason",),
        ("reason", ("race", "no_answer")),
        source=_GIT_SOURCE,
    ),
    _histogram("git_batch_size", "Changes of Applications in one batch", _GIT_SOURCE, (), _SIZES),
    _gauge("git_queue_length", "Changes that wait for their push or are being pushed", _GIT_SOURCE, "repository"),
    _histogram("git_queue_wait_seconds", "Time until the batch of a change was begun", _GIT_SOURCE, (), _LONG_S),
    _counter(
        "git_writeback_errors_total", "Changes that could not be pushed, by the error's code", _GIT_SOURCE, "code"
    ),
    _counter("git_writeback_unchanged_total", "Changes that the repository held already", _GIT_SOURCE),
    _listed(
        "git_pull_requests_total",
        "Pull requests, by what became of them",
        ("provider", "result"),
        ("result", ("opened", "updated", "unchanged", "closed", "failed", "denied")),
        source=_GIT_SOURCE,
    ),
)

SECTIONS: tuple[tuple[str, tuple[Definition, ...]], ...] = (
    ("Rounds and Applications", ROUNDS),
    ("Argo CD, Kubernetes and the system", PEERS),
    ("Registries", REGISTRIES),
    ("Registry tokens", TOKENS),
    ("Git", GIT),
    ("Webhooks", WEBHOOKS),
)

CATALOGUE: Mapping[str, Definition] = MappingProxyType(
    {definition.name: definition for _, definitions in SECTIONS for definition in definitions}
)
"""All definitions by name."""
