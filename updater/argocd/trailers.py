"""gRPC statuses out of headers and trailers (``argocd-api.md`` 3.3, 3.4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import grpc

Metadata = tuple[tuple[str, str | bytes], ...]

STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class CallStatus:
    """How a call ended, and the metadata that came with it, which may hold a renewed token."""

    code: grpc.StatusCode
    message: str = ""
    metadata: Metadata = field(default=(), repr=False)


def parse_trailers(payload: bytes) -> CallStatus:
    """The status of a trailers frame: header lines with CRLF, names of any case. Absent or odd counts as UNKNOWN."""
    # Not splitlines(), which knows more ends of lines than HTTP does.
    lines = payload.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    pairs = [line.partition(":") for line in lines if ":" in line]
    return status_of((name.strip().lower(), value.strip()) for name, _, value in pairs)


def status_of(headers: Iterable[tuple[str, str]]) -> CallStatus:
    """The status among headers with lower-case names."""
    code, message, metadata = grpc.StatusCode.UNKNOWN, "", []
    for name, value in headers:
        if name == "grpc-status":
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
            code = STATUS_CODES.get(number, grpc.StatusCode.UNKNOWN)
        elif name == "grpc-message":
            message = decode_message(value)
        else:
            metadata.append((name, decode_value(name, value)))
    return CallStatus(code, message, tuple(metadata))


def decode_message(text: str) -> str:
    """Percent-decoded UTF-8; a broken escape stays as it is."""
    return unquote_to_bytes(text).decode("utf-8", "replace")


def decode_value(name: str, value: str) -> str | bytes:
    """A metadata value; names that end in ``-bin`` hold base64, padded or not."""
    if not name.endswith("-bin"):
        return value
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return value
