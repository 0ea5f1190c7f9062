"""Lists that come in pages: one function for each way of turning them. All stop at ``MAX_PAGES``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from updater.errors import ForgeError
from updater.forge.answers import Fields, objects
from updater.forge.calls import Call, ForgeApi

MAX_PAGES = 100
"""With the page sizes used here, five thousand open requests of one repository."""


def by_number(api: ForgeApi, path: str, query: Mapping[str, str], size: tuple[str, int]) -> Iterator[Fields]:
    """``page=1, 2, ...``; the header ``Link`` says whether there is a next one, else a full page does.

    size: the name of the parameter and how many are asked for; servers may give fewer (GitHub, GitLab, Gitea).
    """
    name, count = size
    for page in range(1, MAX_PAGES + 1):
        answer = api.send(Call("GET", path, {**query, name: str(count), "page": str(page)}))
        items = objects(api.value_of(answer))
        yield from items
        link = answer.header("link")
        has_next = 'rel="next"' in link if link else len(items) >= count
        if not items or not has_next:
            return
    raise _endless(path)


def by_link(api: ForgeApi, path: str, query: Mapping[str, str]) -> Iterator[Fields]:
    """``values`` and the URL of the ``next`` page (Bitbucket Cloud)."""
    page = api.fetch(Call("GET", path, query))
    for _ in range(MAX_PAGES):
        yield from page.listed("values")
        url = page.text("next")
        if not url:
            return
        page = Fields(api.value_of(api.send_to(url)))
    raise _endless(path)


def by_start(api: ForgeApi, path: str, query: Mapping[str, str]) -> Iterator[Fields]:
    """``values``, ``isLastPage`` and ``nextPageStart`` (Bitbucket Server)."""
    start = 0
    for _ in range(MAX_PAGES):
        page = api.fetch(Call("GET", path, {**query, "start": str(start)}))
        yield from page.listed("values")
        following = page.raw("nextPageStart")
        if not isinstance(following, int) or following <= start or page.raw("isLastPage") is not False:
            return
        start = following
    raise _endless(path)


def by_skip(api: ForgeApi, path: str, query: Mapping[str, str], count: int) -> Iterator[Fields]:
    """``value``, with ``$top`` and ``$skip`` (Azure DevOps)."""
    for page in range(MAX_PAGES):
        found = api.fetch(Call("GET", path, {**query, "$top": str(count), "$skip": str(page * count)}))
        items = found.listed("value")
        yield from items
        if len(items) < count:
            return
    raise _endless(path)


def _endless(path: str) -> ForgeError:
    return ForgeError(f"the list has more than {MAX_PAGES} pages", where=path, hint="close requests nobody needs")
