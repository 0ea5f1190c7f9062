"""A webhook request as the senders' rules see it: complete, in memory, its names normalised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """``headers`` have lower-case names; of a repeated query parameter the first counts. ``body`` is as it came.

    Query and headers hold secrets and are not shown. Bytes that are no UTF-8 stand in texts as lone surrogates.
    """

    method: str
    query: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    body: bytes = field(default=b"", repr=False)
    remote: str = ""

    def header(self, name: str) -> str:
        """Empty when it was not sent."""
        return self.headers.get(name.lower(), "")
