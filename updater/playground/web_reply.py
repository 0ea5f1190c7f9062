"""One answer of the gRPC-Web server on its way out: headers once, frames, status at the end, faults in between."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

import grpc

from updater.playground import frames
from updater.playground.faults import FaultPlan

CONTENT_TYPE = "application/grpc-web+proto"
# The largest length a prefix of four bytes can claim.
_OVERSIZED = 0xFFFF_FFFF

Headers = Sequence[tuple[str, str]]


class Cut(Exception):
    """The connection ends here, in the middle of an answer."""


class Outlet(Protocol):
    """The HTTP side of one answer."""

    def start(self, status: int, headers: Headers, *, length: int | None) -> None:
        """Send status line and headers; without a length, the body comes in chunks."""

    def chunk(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class WebReply:
    """Used by the one thread that serves the call. Nothing is sent before the first message (3.4)."""

    def __init__(self, outlet: Outlet, plan: FaultPlan, closing: threading.Event, *, is_stream: bool) -> None:
        self._outlet = outlet
        self._plan = plan
        self._closing = closing
        self._is_stream = is_stream
        self._has_started = False
        self._waiting = b""
        self._left = plan.truncate_after_bytes

    def start(self, metadata: Iterable[tuple[str, str]] = ()) -> None:
        """Flush status line and headers, once."""
        if not self._has_started:
            self._has_started = True
            self._outlet.start(200, _headers(metadata), length=None)

    def message(self, encoded: bytes) -> None:
        flag = frames.COMPRESSED if self._plan.sets_compressed_flag else frames.DATA
        claimed = _OVERSIZED if self._plan.claims_oversized_frame else None
        self.start()
        self._write(frames.encode_frame(flag, encoded, claimed_size=claimed))
        if self._is_stream:
            self._flush()

    def finish(self, code: grpc.StatusCode, message: str, trailers: Iterable[tuple[str, str]] = ()) -> None:
        """Send the status: as headers when nothing was sent yet, else in the last frame of the body."""
        number: int = code.value[0]
        status = [("grpc-status", str(number)), *trailers]
        if message:
            status.append(("grpc-message", frames.percent_encode(message)))
        if self._plan.strips_trailers:
            status = []
        if not self._has_started:
            self._outlet.start(200, _headers(status), length=0)
            return
        if status:
            self._write(frames.encode_trailers(status))
        self._flush()
        self._outlet.end()

    def _write(self, data: bytes) -> None:
        size = self._plan.chunk_bytes
        if size is None:
            self._send(data)
            return
        self._waiting += data
        while len(self._waiting) >= size:
            self._send(self._waiting[:size])
            self._waiting = self._waiting[size:]

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, b""
        if waiting:
            self._send(waiting)

    def _send(self, piece: bytes) -> None:
        if self._left is not None and len(piece) > self._left:
            self._deliver(piece[: self._left])
            raise Cut
        if self._left is not None:
            self._left -= len(piece)
        self._deliver(piece)

    def _deliver(self, piece: bytes) -> None:
        pause_s = self._plan.trickle_s
        if pause_s is None:
            if piece:
                self._outlet.chunk(piece)
            return
        for position in range(len(piece)):
            self._outlet.chunk(piece[position : position + 1])
            if self._closing.wait(pause_s):
                raise Cut


def _headers(more: Iterable[tuple[str, str]]) -> Headers:
    found = sorted((_canonical(name), value) for name, value in more)
    exposed = ", ".join(name for name, _ in found)
    expose = [("Access-Control-Expose-Headers", exposed)] if exposed else []
    return [("Content-Type", CONTENT_TYPE), *expose, *found]


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
