"""Limits of pulls as Docker Hub announces them: ``ratelimit-remaining: 76;w=21600`` (``registries.md`` 3.13 and 4.2).

Only GET of a manifest counts as a pull there; HEAD, listings and blobs do not.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from updater.registry.answers import Answer
from updater.registry.endpoints import Endpoint
from updater.registry.names import HUB_HOSTS

_LEAST_LEFT = 5
_LEAST_SHARE = 0.1
"""Below a tenth of the limit, or below five, what is left is kept for the nodes of the cluster."""
_LIMIT = re.compile(r"\s*(\d{1,9})\s*(?:;\s*w\s*=\s*(\d{1,9})\s*)?")


def limits_pulls(endpoint: Endpoint) -> bool:
    """Whether the registry counts pulls apart from other requests."""
    return (urlsplit(endpoint.api_url).hostname or "") in HUB_HOSTS


def pull_pause_s(answer: Answer) -> float | None:
    """Seconds for which no more should be pulled; None when enough is left or nothing is said."""
    remaining = _LIMIT.fullmatch(answer.header("ratelimit-remaining"))
    if remaining is None or remaining[2] is None:
        return None
    limit = _LIMIT.fullmatch(answer.header("ratelimit-limit"))
    least = max(_LEAST_LEFT, int(limit[1]) * _LEAST_SHARE if limit else 0)
    return float(remaining[2]) if int(remaining[1]) < least else None
