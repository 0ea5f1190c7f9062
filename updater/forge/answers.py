"""One answer of an API, read to its end, and typed access to the JSON in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updater.errors import ForgeError

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_URL = 2_000
_SHOWN_BYTES = 20_000
"""Of a body that only serves to explain an error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by their lower-case names, body; ``method`` and ``url`` are those of the request."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def is_success(self) -> bool:
        """203 is what Azure DevOps answers without a token that it knows."""
        return 200 <= self.status < 300 and self.status != 203

    @property
    def is_redirect(self) -> bool:
        return self.status in _REDIRECTS and bool(self.location)

    @property
    def location(self) -> str:
        return self.header("location")

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:_SHOWN_BYTES].decode("utf-8", "replace")

    def json(self) -> object:
        """The value in the body, None for an empty one; raises ``ValueError``."""
        try:
            return json.loads(self.body) if self.body.strip() else None
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error


class Fields:
    """An object of an answer. What is not there, or of another type, is empty; only what must be there raises."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def inside(self, name: str) -> Fields:
        return Fields(self._value.get(name))

    def text(self, name: str) -> str:
        value = self._value.get(name)
        return value if isinstance(value, str) else ""

    def url(self, name: str) -> str:
        """The address of a page, to be shown to people; empty for what is none."""
        value = self.text(name)
        is_page = value.startswith(("https://", "http://")) and value.isprintable() and " " not in value
        return value if is_page and len(value) <= _MAX_URL else ""

    def number(self, name: str) -> int:
        """A whole number, which must be there; raises ``ForgeError``."""
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ForgeError(f"the answer of the API is not understood: {name!r} is no number")
        return value

    def listed(self, name: str) -> list[Fields]:
        return objects(self._value.get(name))

    def raw(self, name: str) -> object:
        return self._value.get(name)


def objects(value: object) -> list[Fields]:
    """The objects of a list; anything else has none."""
    return [Fields(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []
