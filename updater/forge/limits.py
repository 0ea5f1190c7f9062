"""Used-up rate limits: until they are renewed nothing is sent, because forges hold further requests against a client.

GitHub: "Best practices for using the REST API", on primary and secondary limits.
"""

from __future__ import annotations

import threading

from cachetools import LRUCache

from updater.clock import Clock
from updater.errors import ForgeWaits
from updater.forge.answers import Answer
from updater.transport.redaction import Secret

DEFAULT_WAIT_S = 60.0
"""When a forge does not say how long: what GitHub asks for at least."""
MAX_WAIT_S = 3600.0
"""The longest period of a limit at the forges of today."""
_MAX_TOKENS = 1_000

LimitKey = tuple[str, Secret]
"""An API and a token: limits are counted for each."""


def is_rate_limit(answer: Answer) -> bool:
    """GitHub answers 403 or 429 with nothing remaining; a secondary limit says so in its text."""
    if answer.status not in (403, 429):
        return False
    is_used_up = answer.header("x-ratelimit-remaining") == "0"
    return is_used_up or "secondary rate limit" in answer.text.lower()


def renewal_s(answer: Answer, retry_after_s: float | None, clock: Clock) -> float:
    """Seconds until the limit is renewed, as far as the answer tells."""
    if retry_after_s is not None:
        return min(retry_after_s, MAX_WAIT_S)
    reset = answer.header("x-ratelimit-reset").strip()
    if not (reset.isascii() and reset.isdigit() and len(reset) < 12):
        return DEFAULT_WAIT_S
    return min(max(0.0, int(reset) - clock.now().timestamp()), MAX_WAIT_S)


class RateLimits:
    """Which tokens have to wait. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until_s: LRUCache[LimitKey, float] = LRUCache(_MAX_TOKENS)

    def used_up(self, key: LimitKey, wait_s: float) -> None:
        """A limit is used up for so long."""
        with self._lock:
            self._until_s[key] = self._clock.monotonic_s() + wait_s

    def check(self, key: LimitKey) -> None:
        """Raises ``ForgeWaits`` while a limit is used up."""
        with self._lock:
            left_s = self._until_s.get(key, 0.0) - self._clock.monotonic_s()
        if left_s > 0:
            text = f"the rate limit of the API is used up; nothing is sent for another {left_s:.0f} s"
            raise ForgeWaits(text, where=key[0], hint="it is tried again in a later round")
