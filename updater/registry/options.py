"""The registry client's own options."""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.clock import Backoff
from updater.transport.http import HttpOptions

TAGS_BACKOFF = Backoff(attempts=3, base_s=0.2, cap_s=3.0)
MANIFEST_BACKOFF = Backoff(attempts=3, base_s=0.2, cap_s=3.0)
TOKEN_BACKOFF = Backoff(attempts=7, base_s=0.2, cap_s=3.0)


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """Defaults are those of ``registries.md`` 5.4 to 5.6. TLS inputs of ``http`` are replaced by each endpoint's own.

    ``share_tags_s``: how long a tag list, or the knowledge that there is none, serves further callers; zero shares
    only calls that run at the same time. What tags point to grows old after the same time, unless
    ``tags_are_immutable``.
    """

    http: HttpOptions = field(default_factory=HttpOptions)
    tags_backoff: Backoff = TAGS_BACKOFF
    tags_timeout_s: float = 60.0
    manifest_backoff: Backoff = MANIFEST_BACKOFF
    manifest_timeout_s: float = 60.0
    token_backoff: Backoff = TOKEN_BACKOFF
    token_timeout_s: float = 15.0
    operation_timeout_s: float = 180.0
    max_inflight_in_all: int = 128
    """Requests on their way to all registries together; ``http.pool_size`` are those to one (5.2)."""
    max_token_requests: int = 5
    """Requests on their way to one token service."""
    token_requests_per_s: float = 20.0
    max_transports: int = 500
    response_header_timeout_s: float = 60.0
    janitor_period_s: float = 90.0
    """How often idle connections are let go; zero never (5.5)."""
    port_exhaustion_window_s: float = 60.0
    port_exhaustion_threshold: int = 8
    page_size: int = 1000
    """What ECR accepts at most (``registries.md`` 3.5)."""
    share_tags_s: float = 60.0
    tags_are_immutable: bool = False
    cache_folder: str = ""
    """Where facts outlive a restart, empty for nowhere (6.4)."""
    allowed_hosts: tuple[str, ...] = ()
    """Patterns of API hosts that may be asked, empty for all (4.4)."""
    are_pull_secrets_ours: bool = False
    """The caller's pull secrets are the operator's own and may name what is his alone (2.1), as in ``test``."""


def janitor_period_s(interval_s: float, idle_s: float) -> float:
    """How often to let idle connections go: every ``interval_s``, zero never, and at least every ``idle_s`` (5.6)."""
    return min(interval_s, idle_s) if idle_s > 0 else interval_s


def transports_for(idle_connections: int, pool_size: int) -> int:
    """How many transports hold at most so many connections in all; never more than 500 (5.5)."""
    return max(1, min(500, idle_connections // max(1, pool_size)))
