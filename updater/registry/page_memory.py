"""Pages of tags with the validators that a registry offered for them, for conditional requests.

Rules: ``registries.md`` 6.1. No specification asks for validators on tag lists, so this is opportunistic: an origin
whose validators never spare us a page is not sent any for a day.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cachetools import LRUCache, TTLCache

from updater.clock import Clock
from updater.registry.tag_pages import TagPage
from updater.transport.trust import TlsOptions

MAX_KEPT_TAGS = 1_000_000
"""Tag names on all pages together, about 70 MB; a page counts at least as one hundred."""
MAX_USELESS = 20
"""Answers in a row that repeat a page in full although its validator was sent."""
_IGNORED_S = 24 * 3600.0
_MAX_ORIGINS = 1_000
_LEAST_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class PageKey:
    """A page is kept for those who were given it."""

    url: str
    credentials_id: str
    tls: TlsOptions


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page and its validator."""

    etag: str
    page: TagPage


class PageMemory:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._pages: LRUCache[PageKey, KnownPage] = LRUCache(MAX_KEPT_TAGS, getsizeof=_weight)
        self._useless: LRUCache[str, int] = LRUCache(_MAX_ORIGINS)
        self._ignored: TTLCache[str, bool] = TTLCache(_MAX_ORIGINS, _IGNORED_S, timer=clock.monotonic_s)

    def recall(self, key: PageKey, origin: str) -> KnownPage | None:
        """The page to be confirmed, None when there is none or the origin's validators are of no use."""
        with self._lock:
            return None if origin in self._ignored else self._pages.get(key)

    def confirmed(self, origin: str) -> None:
        """A validator spared us a page."""
        with self._lock:
            self._useless.pop(origin, None)

    def remember(self, key: PageKey, origin: str, etag: str, page: TagPage) -> None:
        """A page came in full; without a validator there is nothing to remember."""
        with self._lock:
            known = self._pages.pop(key, None)
            if known is not None and known.page == page:
                self._count_useless(origin)
            if etag and origin not in self._ignored:
                self._pages[key] = KnownPage(etag, page)

    def _count_useless(self, origin: str) -> None:
        count = self._useless.get(origin, 0) + 1
        self._useless[origin] = count
        if count >= MAX_USELESS:
            self._ignored[origin] = True
            self._useless.pop(origin, None)


def _weight(known: KnownPage) -> int:
    return max(_LEAST_WEIGHT, len(known.page.tags))
