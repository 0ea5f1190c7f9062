"""gRPC-Web framing: one flag byte, four bytes of length, a payload (``argocd-api.md`` 3.2 and 3.3)."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HEADER_BYTES = 5
_HEADER = struct.Struct(">BI")
_COMPRESSED = 0x01
_TRAILERS = 0x80


class FrameError(Exception):
    """Bytes that are no gRPC-Web frames. ``is_truncated`` when they merely end too early."""

    def __init__(self, what: str, *, is_truncated: bool = False, is_too_large: bool = False) -> None:
        super().__init__(what)
        self.is_truncated = is_truncated
        self.is_too_large = is_too_large


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; a trailers frame is the last one of an answer."""

    is_trailers: bool
    payload: bytes


def encode_message(message: bytes) -> bytes:
    """The body of a request: one uncompressed data frame."""
    return _HEADER.pack(0, len(message)) + message


def read_frames(chunks: Iterable[bytes], *, cap_bytes: int) -> Iterator[Frame]:
    """The frames in a body that arrives in pieces of any size; ends after the trailers frame.

    Raises ``FrameError``. The length is checked before anything of the payload is kept.
    """
    source = _Buffer(iter(chunks))
    while header := source.take(HEADER_BYTES, at_boundary=True):
        flags, size = _HEADER.unpack(header)
        if flags & ~(_TRAILERS | _COMPRESSED):
            raise FrameError(f"unknown frame flags 0x{flags:02x}")
        if flags & _COMPRESSED:
            raise FrameError("a compressed frame, which nobody asked for")
        if size > cap_bytes:
            raise FrameError(f"a frame of {size} bytes, at most {cap_bytes} are accepted", is_too_large=True)
        frame = Frame(bool(flags & _TRAILERS), source.take(size, at_boundary=False))
        yield frame
        if frame.is_trailers:
            return


class _Buffer:
    """Takes exact numbers of bytes out of an iterator of pieces, copying each byte once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._parts: deque[memoryview] = deque()
        self._size = 0

    def take(self, size: int, *, at_boundary: bool) -> bytes:
        """``size`` bytes; empty when the body ends at a boundary between frames."""
        while self._size < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                if at_boundary and not self._size:
                    return b""
                raise FrameError(f"the body ends {size - self._size} bytes early", is_truncated=True)
            self._parts.append(memoryview(chunk))
            self._size += len(chunk)
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken: list[memoryview] = []
        missing = size
        while missing:
            part = self._parts.popleft()
            if len(part) > missing:
                self._parts.appendleft(part[missing:])
                part = part[:missing]
            taken.append(part)
            missing -= len(part)
        self._size -= size
        return b"".join(taken)
