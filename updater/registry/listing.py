"""Listing tags, all pages of them or an error: a part of a list would make selection choose an older image.

Rules: ``registries.md`` 3.5 and 4.3.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from urllib.parse import quote

from cachetools import TTLCache

from updater.clock import Clock, Deadline
from updater.errors import RegistryError, RegistryProtocolError
from updater.ports.log import EventLog
from updater.registry.authorization import Visit
from updater.registry.calls import RegistryCalls
from updater.registry.connections import RegistryRequest
from updater.registry.failures import refusal
from updater.registry.links import next_page_url, page_loop
from updater.registry.options import RegistryOptions
from updater.registry.page_memory import PageKey, PageMemory
from updater.registry.retries import Attempts
from updater.registry.tag_pages import TagPage, parse_tag_page, refuses_page_size

MAX_PAGES = 1_000
MAX_TAGS = 500_000
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_LIST_BYTES = 64 * 1024 * 1024
_SIZELESS_S = 3600.0
"""How long a registry's dislike of ``n`` is remembered."""
_MAX_SIZELESS = 1_000
_ROUND = 10
_ACCEPT = "application/json"
_ACCEPT_ANY = "application/json, */*;q=0.1"
"""For registries that refused the plain question: some answer 406 to it (``registries.md`` 3.13)."""


class _PageSizeRefused(RegistryProtocolError):
    """The registry does not take ``n``; the listing is tried without."""


@dataclass(slots=True)
class _Pile:
    """What one listing has gathered. ``tags`` keeps the order of arrival and drops repeats."""

    where: str
    tags: dict[str, None] = field(default_factory=dict)
    pages: int = 0
    unchanged_pages: int = 0
    largest_page: int = 0
    size_bytes: int = 0
    dropped: int = 0

    def add(self, page: TagPage) -> bool:
        """Whether the page held a tag that was new; raises ``RegistryProtocolError`` over a bound."""
        before = len(self.tags)
        self.tags.update(dict.fromkeys(page.tags))
        self.pages += 1
        self.unchanged_pages += page.is_unchanged
        self.largest_page = max(self.largest_page, page.listed)
        self.size_bytes += page.size_bytes
        self.dropped += page.listed - len(page.tags)
        for value, bound, unit in (
            (self.pages, MAX_PAGES, "pages"),
            (len(self.tags), MAX_TAGS, "tags"),
            (self.size_bytes, MAX_LIST_BYTES, "bytes"),
        ):
            if value > bound:
                raise RegistryProtocolError(
                    f"the tag list has more than {bound} {unit}", where=self.where, code="too_large"
                )
        return len(self.tags) > before


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete list; ``is_unchanged``: the registry said of every page that it is what it was."""

    tags: tuple[str, ...]
    is_unchanged: bool = False


class TagListing:
    """Lists tags of repositories. Thread-safe; one call lists one repository."""

    def __init__(
        self,
        calls: RegistryCalls,
        attempts: Attempts,
        clock: Clock,
        log: EventLog,
        options: RegistryOptions,
    ) -> None:
        self._calls = calls
        self._attempts = attempts
        self._pages = PageMemory(clock)
        self._clock = clock
        self._log = log
        self._options = options
        self._lock = threading.Lock()
        self._sizeless: TTLCache[str, bool] = TTLCache(_MAX_SIZELESS, _SIZELESS_S, timer=clock.monotonic_s)

    def fetch(self, visit: Visit, deadline: Deadline) -> Listing:
        """Every tag once, in the order of the registry; raises ``RegistryError``."""
        pile = _Pile(str(visit.remote))
        try:
            is_complete = self._takes_page_size(visit) and self._walk(visit, pile, self._options.page_size, deadline)
            is_refused = False
        except _PageSizeRefused:
            is_complete, is_refused = False, True
        if not is_complete:
            # Adding to the pile, so that nothing seen so far is lost to a registry with small default pages.
            self._walk(visit, pile, 0, deadline)
        if is_refused:
            self._remember_refusal(visit)
        self._log.debug(
            "tags_listed",
            repository=pile.where,
            count=len(pile.tags),
            pages=pile.pages,
            size_bytes=pile.size_bytes,
            dropped=pile.dropped,
        )
        return Listing(tuple(pile.tags), is_unchanged=pile.pages == pile.unchanged_pages)

    def _takes_page_size(self, visit: Visit) -> bool:
        with self._lock:
            return visit.origin not in self._sizeless

    def _remember_refusal(self, visit: Visit) -> None:
        """Only once a listing without ``n`` has worked: the refusal may have meant something else."""
        with self._lock:
            self._sizeless[visit.origin] = True

    def _walk(self, visit: Visit, pile: _Pile, page_size: int, deadline: Deadline) -> bool:
        """Add every page; False when a full page without a Link leaves open whether there are more.

        ``page_size`` zero sends no ``n``. A full page without a Link is followed by a guess: the page after its last
        tag. Group repositories of some managers drop the Link; when the guess brings nothing, the caller has to list
        again without ``n``.
        """
        base = visit.remote.tags_url
        url = f"{base}?n={page_size}" if page_size else base
        seen, is_guess = {url}, False
        while True:
            try:
                page = self._page(visit, url, pile, deadline, has_size=bool(page_size))
            except RegistryError:
                if is_guess:
                    return False
                raise
            grew = pile.add(page)
            if is_guess and not grew:
                return False
            following = next_page_url(url, page.links)
            is_guess = following is None and bool(page_size) and page.listed >= page_size
            if is_guess:
                following = f"{base}?n={page_size}&last={quote(page.last, safe='')}"
            if following is None:
                return True
            if following in seen:
                raise page_loop()
            seen.add(following)
            url = following

    def _page(self, visit: Visit, url: str, pile: _Pile, deadline: Deadline, *, has_size: bool) -> TagPage:
        is_first = not pile.pages
        return self._attempts.run(
            "tags",
            visit.remote.endpoint,
            self._options.tags_backoff,
            deadline,
            lambda: self._page_once(visit, url, pile, deadline, has_size=has_size, is_first=is_first),
        )

    def _page_once(
        self, visit: Visit, url: str, pile: _Pile, deadline: Deadline, *, has_size: bool, is_first: bool
    ) -> TagPage:
        key = PageKey(url, visit.credentials_id, visit.remote.endpoint.tls)
        known = self._pages.recall(key, visit.origin)
        request = RegistryRequest(
            url,
            pile.where,
            cap_bytes=MAX_PAGE_BYTES,
            timeout_s=self._options.tags_timeout_s,
            etag=known.etag if known else "",
            accept=_ACCEPT if has_size else _ACCEPT_ANY,
        )
        answer = self._calls.send(visit, request, deadline)
        if answer.status == 304 and known is not None:
            self._pages.confirmed(visit.origin)
            return dataclasses.replace(known.page, is_unchanged=True)
        if answer.status == 200:
            page = parse_tag_page(answer, pile.where)
            etag = "" if may_be_full(page, pile.largest_page) else answer.header("etag")
            self._pages.remember(key, visit.origin, etag, page)
            return page
        error = refusal(answer, pile.where, self._clock.now(), has_credentials=visit.credentials is not None)
        if has_size and is_first and refuses_page_size(answer):
            raise _PageSizeRefused(error.what, where=pile.where, code=error.code)
        raise error


def may_be_full(page: TagPage, largest_before: int) -> bool:
    """Whether a last page may have no room left.

    The next tag then begins another page, which only the Link says that a validator of the body does not cover. The
    limits of registries are round numbers; a page as large as those before it is full too.
    """
    is_as_large = 0 < largest_before <= page.listed
    return not page.links and (is_as_large or page.listed % _ROUND == 0)
