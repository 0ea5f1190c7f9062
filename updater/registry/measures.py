"""What the registry client measures, by the names and labels of ``registries.md`` 5.8.

``registry`` is always the API URL, also for what its token service does. One place, so that the rest of the package
says what happened and not how that is counted.
"""

from __future__ import annotations

from updater.clock import Deadline
from updater.errors import (
    RegistryAuthError,
    RegistryError,
    RegistryUnavailable,
    RegistryUnreachable,
    RepositoryUnknown,
)
from updater.ports.metrics import Metrics, NoMetrics
from updater.transport.errors import TransportError, TransportFailure

_KINDS_BY_CODE = {
    "too_large": "too_large",
    "digest_mismatch": "digest_mismatch",
    "content_missing": "not_found",
    "rate_limited": "429",
    "registry_tls": "tls",
}


class RegistryMeasures:
    """Thread-safe, like the metrics behind it."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or NoMetrics()

    def exchange_began(self, registry: str) -> None:
        """A request goes to the API."""
        self._metrics.increase("registry_requests_total", registry=registry)
        self._metrics.increase("registry_in_flight_requests", registry=registry)

    def exchange_ended(self, registry: str, seconds: float, status: int | None) -> None:
        """Its body is read; ``status`` is None when there was no complete answer."""
        self._metrics.increase("registry_in_flight_requests", -1.0, registry=registry)
        self._metrics.observe("registry_request_duration_seconds", seconds, registry=registry)
        if status is None:
            self._metrics.increase("registry_requests_failed_total", registry=registry)
        else:
            self._metrics.increase("registry_http_status_total", registry=registry, code=str(status))

    def attempt_failed(self, registry: str, error: RegistryError, deadline: Deadline, *, is_last: bool) -> None:
        """One attempt at an operation failed, by whatever means."""
        kind = error_kind(error, deadline)
        if kind:
            self._metrics.increase("registry_errors_total", registry=registry, kind=kind)
        if is_last and isinstance(error, RegistryUnavailable):
            self._metrics.increase("registry_requests_failed_total", registry=registry)

    def repeated(self, registry: str, operation: str) -> None:
        """An operation is attempted again."""
        self._metrics.increase("registry_request_retries_total", registry=registry, op=operation)

    def gate_closed(self, registry: str, seconds: float) -> None:
        """The registry asked for a pause of so many seconds; zero when it answers again."""
        self._metrics.set("registry_gate_seconds", seconds, registry=registry)

    def flight(self, kind: str, *, is_leader: bool) -> None:
        """Somebody performs a call, or waits for the same call of somebody else."""
        role = "leaders" if is_leader else "followers"
        self._metrics.increase(f"singleflight_{role}_total", kind=kind)

    def looked_up(self, cache: str, *, was_known: bool) -> None:
        """A cache was asked."""
        result = "hits" if was_known else "misses"
        self._metrics.increase(f"registry_cache_{result}_total", cache=cache)

    def tags_wanted(self, registry: str, result: str) -> None:
        """A tag list was wanted: ``fetched``, ``shared``, ``not_modified`` or ``failed``."""
        self._metrics.increase("registry_tags_polls_total", registry=registry, result=result)

    def token_asked(self, registry: str, service: str, scope: str, seconds: float, reason: str) -> None:
        """One request to a token service ended; ``reason`` is empty when it gave a token."""
        labels = {"registry": registry, "service": service, "scope": scope}
        self._metrics.increase("registry_jwt_auth_requests_total", **labels)
        self._metrics.observe("registry_jwt_auth_duration_seconds", seconds, **labels)
        if reason:
            self._metrics.increase("registry_jwt_auth_errors_total", **labels, reason=reason)

    def token_issued(self, registry: str, service: str, scope: str, lifetime_s: float) -> None:
        """A token was issued that lives so long."""
        labels = {"registry": registry, "service": service, "scope": scope}
        self._metrics.observe("registry_jwt_token_ttl_seconds", lifetime_s, **labels)


def error_kind(error: RegistryError, deadline: Deadline) -> str:
    """The value of ``kind`` for an error; empty for a call that a shutdown ended, or that was not made."""
    if error.code in ("cancelled", "registry_silent"):
        return ""
    if error.code in _KINDS_BY_CODE:
        return _KINDS_BY_CODE[error.code]
    if isinstance(error, RegistryUnreachable):
        return _unreachable_kind(error, deadline)
    if isinstance(error, RegistryUnavailable):
        return "5xx"
    if isinstance(error, RegistryAuthError):
        return "auth_error"
    return "not_found" if isinstance(error, RepositoryUnknown) else "bad_response"


def _unreachable_kind(error: RegistryUnreachable, deadline: Deadline) -> str:
    cause = error.__cause__
    if isinstance(cause, TransportError) and cause.kind is TransportFailure.DNS:
        return "dns"
    if error.code != "registry_timeout":
        return "dial_error"
    return "ctx_deadline" if deadline.has_passed else "timeout"
