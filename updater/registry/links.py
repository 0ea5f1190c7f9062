"""Link: where the next page of tags is.

Rules: RFC 8288, and ``registries.md`` 3.5: of the link only its query string is used, on our own path, so a registry
cannot send us anywhere else and proxies that rewrite paths do no harm. Vectors: ``link_header.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from updater.errors import RegistryProtocolError

_GAP = re.compile(r"[ \t,]*")
_BARE_TARGET = re.compile(r"[^;,]*")
_PARAMETER = re.compile(
    r'[ \t]*;[ \t]*(?P<name>[^\s=;,"]+)[ \t]*(?:=[ \t]*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s;,"]*)))?'
)
_SENDABLE = re.compile(r"[!-~]+")
"""A query that fits into a request line byte for byte."""


@dataclass(frozen=True, slots=True)
class _Link:
    target: str
    relations: frozenset[str] | None
    """Words of ``rel`` in lower case, None when there is no ``rel``."""


def next_page_url(request_url: str, lines: Iterable[str]) -> str | None:
    """The URL of the page after ``request_url``, None when the listing is complete.

    Raises ``RegistryProtocolError`` with code ``bad_link`` for a link that cannot be the next page, ``loop`` for one
    that names the current page again.
    """
    links = [link for line in lines for link in _parse_line(line)]
    chosen = next((link for link in links if link.relations is not None and "next" in link.relations), None)
    if chosen is None and len(links) == 1 and links[0].relations is None:
        chosen = links[0]
    if chosen is None or not chosen.target:
        return None
    query = _query_of(request_url, chosen.target)
    if query == urlsplit(request_url).query:
        raise page_loop()
    return f"{request_url.partition('?')[0]}?{query}"


def page_loop() -> RegistryProtocolError:
    """The error for a listing that comes back to a page it has shown before."""
    return RegistryProtocolError(
        "the tag listing goes round in circles: a page names an earlier one as the next", code="loop"
    )


def _query_of(request_url: str, target: str) -> str:
    try:
        parts = urlsplit(urljoin(request_url, target))
    except ValueError as error:
        raise _bad_link() from error
    if not parts.path.endswith("/tags/list") or not _SENDABLE.fullmatch(parts.query):
        raise _bad_link()
    return parts.query


def _parse_line(line: str) -> Iterator[_Link]:
    position = _skip_gap(line, 0)
    while position < len(line):
        target, position = _read_target(line, position)
        relations = None
        while parameter := _PARAMETER.match(line, position):
            position = parameter.end()
            if parameter["name"].lower() == "rel" and relations is None:
                relations = frozenset((parameter["quoted"] or parameter["bare"] or "").lower().split())
        yield _Link(target, relations)
        after = _skip_gap(line, position)
        if after == position:
            return
        position = after


def _read_target(line: str, position: int) -> tuple[str, int]:
    if line[position] == "<":
        end = line.find(">", position)
        if end < 0:
            raise _bad_link()
        return line[position + 1 : end].strip(), end + 1
    bare = _BARE_TARGET.match(line, position)
    return (bare[0].strip(), bare.end()) if bare else ("", len(line))


def _skip_gap(line: str, position: int) -> int:
    gap = _GAP.match(line, position)
    return gap.end() if gap else position


def _bad_link() -> RegistryProtocolError:
    return RegistryProtocolError(
        "the Link header of the tag listing does not name a page of tags",
        hint="a proxy before the registry may rewrite it",
        code="bad_link",
    )
