"""What a gRPC-Web call sends: content type, deadline, the operator's headers, metadata (``argocd-api.md`` 3.2)."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from updater.argocd.address import ServerAddress
from updater.errors import ConfigurationError, UpdaterError

CONTENT_TYPE = "application/grpc-web+proto"
"""Byte for byte: argocd-server picks its handler by this very text (``argocd-api.md`` 3.2)."""

_SHORTEST_SECRET = 4
"""Shorter values are no secrets, and replacing them would garble every text."""
_RESERVED = frozenset({"content-type", "content-length", "host", "connection", "transfer-encoding", "te", "user-agent"})


@dataclass(frozen=True, slots=True)
class WireOptions:
    """What every call of a channel has in common. Header values may hold credentials."""

    address: ServerAddress
    user_agent: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    max_message_bytes: int = 200 * 1024 * 1024
    stream_idle_timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One call as the stub made it. ``path`` begins with a slash; metadata may hold the token."""

    path: str
    message: bytes = field(repr=False)
    timeout_s: float | None = None
    metadata: tuple[tuple[str, str | bytes], ...] = field(default=(), repr=False)
    is_repeatable: bool = True


def request_headers(options: WireOptions, request: WebRequest) -> dict[str, str]:
    """All headers of a call but those of HTTP itself; raises ``ConfigurationError`` for what no header can carry."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Accept": CONTENT_TYPE,
        "X-Grpc-Web": "1",
        "User-Agent": options.user_agent,
    }
    if request.timeout_s is not None:
        headers["Grpc-Timeout"] = encode_timeout(request.timeout_s)
    headers.update((name, _sendable(name, value)) for name, value in options.headers)
    headers.update(_metadata_headers(request.metadata))
    return headers


def check_headers(options: WireOptions) -> None:
    """Raises ``ConfigurationError`` for headers of the operator that no call could send."""
    for name, value in options.headers:
        if _belongs_to_protocol(name.lower()) and name.lower() != "user-agent":
            raise ConfigurationError(
                "this header belongs to the protocol",
                where=f"header {name}",
                hint="leave it out of --argocd-header",
                code="bad_header",
            )
        _sendable(name, value)


def _belongs_to_protocol(name: str) -> bool:
    return name in _RESERVED or name.startswith(("grpc-", ":"))


def secret_values(options: WireOptions, request: WebRequest) -> tuple[str, ...]:
    """Values that no text may show: those of the operator's headers and of the call's metadata."""
    values = (value for _, value in (*options.headers, *request.metadata))
    return tuple(value for value in values if isinstance(value, str) and len(value) >= _SHORTEST_SECRET)


def _sendable(name: str, value: str) -> str:
    """The value, if a header can carry it: the HTTP library would show it in its own error."""
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationError(
            "the value has characters that a header cannot carry",
            where=f"header {name}",
            hint="use printable ASCII characters in one line",
            code="bad_header",
        )
    return value


def _metadata_headers(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    """Metadata as headers: binary values in base64, repeated names joined as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in metadata:
        lower = name.lower()
        if _belongs_to_protocol(lower):
            raise UpdaterError(f"the metadata name {lower!r} belongs to the protocol")
        text = _sendable(lower, _metadata_text(lower, value))
        headers[lower] = f"{headers[lower]},{text}" if lower in headers else text
    return headers


def _metadata_text(name: str, value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    if name.endswith("-bin"):
        return base64.b64encode(value).decode("ascii").rstrip("=")
    return value.decode("ascii", "replace")


def encode_timeout(seconds: float) -> str:
    """The value of ``grpc-timeout``: at most eight digits and a unit."""
    milliseconds = max(1, math.ceil(seconds * 1000))
    if milliseconds < 10**8:
        return f"{milliseconds}m"
    return f"{min(math.ceil(seconds), 10**8 - 1)}S"
