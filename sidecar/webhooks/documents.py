"""JSON of a stranger, read field by field.

Null and absent are the same as empty, unused fields never matter, and a used field of another type is ``bad_json``
(``runtime.md`` 7.4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sidecar.webhooks.rejections import unreadable

MAX_DEPTH = 100
"""Payloads nest a dozen levels at most. The parser would go on until the stack is exhausted, where anything that runs
by the way, such as a finalizer, fails too."""

_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A string, which may hold brackets, or a bracket; possessive, so that texts without an end take linear time."""


class Document:
    """One JSON object. Readers raise ``WebhookRejected`` with code ``bad_json`` for a value of another type."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Empty when there is none."""
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise unreadable()
        return value

    def text_if_any(self, *names: str) -> str:
        """The first of these fields that is a text and not empty; values of another type are passed over."""
        texts = (self._fields.get(name) for name in names)
        return next((text for text in texts if isinstance(text, str) and text), "")

    def part(self, *names: str) -> Document:
        """The object at the end of a path of names; an empty one when there is none."""
        fields: Any = self._fields
        for name in names:
            fields = fields.get(name)
            if fields is None:
                return Document({})
            if not isinstance(fields, dict):
                raise unreadable()
        return Document(fields)

    def parts(self, name: str) -> tuple[Document, ...]:
        """A list of objects."""
        items = [{} if item is None else item for item in self._list(name)]
        if not all(isinstance(item, dict) for item in items):
            raise unreadable()
        return tuple(Document(item) for item in items)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        items = ["" if item is None else item for item in self._list(name)]
        if not all(isinstance(item, str) for item in items):
            raise unreadable()
        return tuple(items)

    def _list(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise unreadable()
        return value


def parse_document(body: bytes) -> Document:
    """The object that a body in UTF-8 holds. Raises ``WebhookRejected`` ``bad_json``.

    Numbers with thousands of digits are refused by the parser itself.
    """
    try:
        text = body.decode("utf-8-sig")
        fields = None if _is_too_deep(text) else json.loads(text)
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(fields, dict):
        raise unreadable()
    return Document(fields)


def _is_too_deep(text: str) -> bool:
    """Whether brackets are nested deeper than ``MAX_DEPTH``; looks no further than it must."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in _BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False
