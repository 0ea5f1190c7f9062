"""One page of ``/v2/<name>/tags/list``: what its body says, and what the registry says about page sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from updater.registry.answers import Answer
from updater.registry.failures import bad_response, error_codes
from updater.registry.names import select_tags

_SIZE_REFUSED_STATUSES = frozenset({400, 405, 406})
_SIZE_REFUSED_CODES = frozenset({"UNSUPPORTED", "PAGINATION_NUMBER_INVALID"})


@dataclass(frozen=True, slots=True)
class TagPage:
    """``tags`` are legal names as listed, may repeat; ``listed`` counts the illegal ones too; ``last`` is the last name
    as listed, empty on an empty page; ``links`` are the Link lines. ``is_unchanged``: the registry said so, and the
    page is from memory.
    """

    tags: tuple[str, ...]
    listed: int
    last: str
    size_bytes: int
    links: tuple[str, ...] = ()
    is_unchanged: bool = False


def parse_tag_page(answer: Answer, where: str) -> TagPage:
    """The page in an answer of 200; raises ``RegistryProtocolError`` with code ``bad_response`` for another shape.

    ``tags: null`` and no ``tags`` are an empty list (distribution does so for empty repositories), unless the body
    lists errors, which some gateways send with status 200.
    """
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise bad_response("the tag list is not JSON", where) from error
    if not isinstance(document, dict):
        raise bad_response("the tag list is not a JSON object", where)
    tags = document.get("tags")
    if tags is None and document.get("errors"):
        codes = ", ".join(sorted(error_codes(answer))) or "without codes"
        raise bad_response(f"the registry answers with errors under status 200: {codes}", where)
    names = [] if tags is None else tags
    if not isinstance(names, list) or not {str}.issuperset(map(type, names)):
        raise bad_response("the tag list is not a list of names", where)
    legal = select_tags(names)
    return TagPage(legal, len(names), names[-1] if names else "", len(answer.body), answer.lines("link"))


def refuses_page_size(answer: Answer) -> bool:
    """Whether an answer to a request with ``n`` means that the registry does not take it (``registries.md`` 3.5)."""
    return answer.status in _SIZE_REFUSED_STATUSES or (
        answer.status != 200 and bool(error_codes(answer) & _SIZE_REFUSED_CODES)
    )
