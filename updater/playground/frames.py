"""The byte forms of gRPC-Web on the server's side (``argocd-api.md`` 3.2 to 3.4)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

DATA, COMPRESSED, TRAILERS = 0x00, 0x01, 0x80
_HEADER = struct.Struct(">BI")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


class BadRequestFrame(Exception):
    """A request body that is not exactly one uncompressed frame."""


def encode_frame(flag: int, payload: bytes, *, claimed_size: int | None = None) -> bytes:
    """One frame; ``claimed_size`` writes another length than the true one."""
    return _HEADER.pack(flag, len(payload) if claimed_size is None else claimed_size) + payload


def decode_request(body: bytes) -> bytes:
    """The one message of a request body; ``BadRequestFrame`` with the text of the server."""
    if len(body) < _HEADER.size:
        raise BadRequestFrame("unexpected EOF")
    flag, size = _HEADER.unpack_from(body)
    if flag == COMPRESSED:
        raise BadRequestFrame("grpc: compressed flag set with identity or empty encoding")
    if flag != DATA:
        raise BadRequestFrame(f"grpc: received unexpected payload format {flag}")
    message = body[_HEADER.size : _HEADER.size + size]
    if len(message) < size:
        raise BadRequestFrame("unexpected EOF")
    return message


def encode_trailers(trailers: Iterable[tuple[str, str]]) -> bytes:
    """The trailers frame: lower-case names, sorted, one line each, no blank line at the end."""
    lines = sorted((name.lower(), value) for name, value in trailers)
    return encode_frame(TRAILERS, "".join(f"{name}: {value}\r\n" for name, value in lines).encode("latin-1"))


def percent_encode(message: str) -> str:
    """A status message as it travels: bytes outside printable ASCII, and the percent sign, as ``%XX``."""
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}" for byte in message.encode())


def parse_timeout_s(text: str) -> float:
    """Seconds of a ``grpc-timeout`` header; ``ValueError`` when it is malformed."""
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise ValueError(f"malformed grpc-timeout: {text!r}")
    return int(match[1]) * _UNIT_S[match[2]]
