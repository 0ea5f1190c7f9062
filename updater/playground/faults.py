"""What goes wrong on the way back: faults of the gRPC-Web server and of whatever stands before it.

A fault holds for every answer until ``clear()``. Each method is one line in a test; they combine where that makes
sense. Thread-safe: an answer in the making keeps the plan it began with.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """An answer of an intermediary: the call does not reach the services."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All faults at one moment."""

    strips_trailers: bool = False
    truncate_after_bytes: int | None = None
    chunk_bytes: int | None = None
    claims_oversized_frame: bool = False
    never_answers: bool = False
    trickle_s: float | None = None
    canned: CannedAnswer | None = None
    canned_every: int = 1
    sends_early_headers: bool = False
    sets_compressed_flag: bool = False


class Faults:
    """The plan of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plan = FaultPlan()
        self._asked = 0

    @property
    def plan(self) -> FaultPlan:
        with self._lock:
            return self._plan

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._plan = FaultPlan()

    def strip_trailers(self) -> None:
        """End answers properly, but without any status: neither in a frame nor in headers."""
        self._set(strips_trailers=True)

    def truncate_after(self, n_bytes: int) -> None:
        """Cut the connection after this many bytes of the body."""
        self._set(truncate_after_bytes=n_bytes)

    def chunk_size(self, n_bytes: int) -> None:
        """Send the body in HTTP chunks of this size: small ones split frames, large ones join them.

        A stream's messages are not held back: what is left of a message leaves with it.
        """
        self._set(chunk_bytes=n_bytes)

    def oversized_frame(self) -> None:
        """Claim the largest possible length in the prefix of every data frame."""
        self._set(claims_oversized_frame=True)

    def never_answer(self) -> None:
        """Read requests, do nothing, and say nothing until the server closes."""
        self._set(never_answers=True)

    def trickle(self, seconds: float) -> None:
        """Send the body one byte at a time with this pause between two; ends when the server closes."""
        self._set(trickle_s=seconds)

    def answer(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", *, every: int = 1
    ) -> None:
        """Answer in place of the API server, as a proxy or login page would; to each request, or every so-manieth."""
        self._set(canned=CannedAnswer(status, tuple((headers or {}).items()), body), canned_every=every)

    def take_canned(self) -> CannedAnswer | None:
        """The answer to one more request, None when the services are to give it."""
        with self._lock:
            self._asked += 1
            return self._plan.canned if self._asked % self._plan.canned_every == 0 else None

    def early_headers(self) -> None:
        """Flush the headers before the call, so that an error travels in the body (shape 3 of 3.4)."""
        self._set(sends_early_headers=True)

    def compressed_flag(self) -> None:
        """Mark data frames as compressed, which nobody asked for."""
        self._set(sets_compressed_flag=True)

    def _set(self, **changes: Any) -> None:
        with self._lock:
            self._plan = replace(self._plan, **changes)
