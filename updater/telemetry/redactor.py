"""The secrets this process knows, taken out of every text that leaves it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from updater.transport.redaction import redact

_SHORTEST = 4
"""Shorter values are words of every sentence; masking them would hide the log and protect nothing."""


class Redactor:
    """Known secrets, longest first. Values may be added at any time from any thread; a text is read without a lock."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Know these values too, and each of their lines."""
        parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
        known = {part for part in parts if len(part) >= _SHORTEST}
        with self._lock:
            self._secrets = tuple(sorted({*self._secrets, *known}, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """The text without the known values and without what looks like a credential."""
        return redact(text, self._secrets)
