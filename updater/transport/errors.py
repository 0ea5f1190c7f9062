"""How an HTTP exchange can fail before anybody looked at its status.

Each adapter maps these to its own branch of the error tree, where it can also say what the operator should change.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from enum import Enum

import requests.exceptions
import urllib3.exceptions

from updater.transport.redaction import cap_text, redact


class TransportFailure(Enum):
    """What went wrong; the value is a clause for people."""

    DNS = "the host name cannot be resolved"
    CONNECT = "the connection cannot be made"
    TLS = "the TLS handshake failed"
    PROXY = "the proxy refused the connection"
    RESET = "the connection was closed before the answer"
    TIMEOUT = "the deadline passed"
    TOO_LARGE = "the answer is larger than the limit"
    TRUNCATED = "the answer ends too early"
    CANCELLED = "the call was cancelled"
    PROTOCOL = "the answer is not HTTP"
    INVALID = "the request cannot be made: its address or one of its headers is not valid"
    """Nothing was sent, and nothing will be until somebody changes a setting."""


class TransportError(Exception):
    """One failed exchange. ``detail`` is safe to show: capped, redacted, without URLs."""

    def __init__(
        self, kind: TransportFailure, detail: str = "", *, before_answer: bool = True, ports_exhausted: bool = False
    ) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.detail = cap_text(redact(detail))
        self.before_answer = before_answer
        """No byte of an answer had arrived."""
        self.ports_exhausted = ports_exhausted
        """The machine has no local port left (EADDRNOTAVAIL)."""

    @property
    def text(self) -> str:
        """What happened, for people."""
        return f"{self.kind.value} ({self.detail})" if self.detail else self.kind.value

    def __str__(self) -> str:
        return self.text


_MOST_SPECIFIC_FIRST: tuple[tuple[type[BaseException], TransportFailure], ...] = (
    # Before everything that can happen on the way to a proxy: it is the proxy's name or port that is wrong then.
    (urllib3.exceptions.ProxyError, TransportFailure.PROXY),
    (requests.exceptions.ProxyError, TransportFailure.PROXY),
    (requests.exceptions.InvalidProxyURL, TransportFailure.PROXY),
    (requests.exceptions.InvalidSchema, TransportFailure.PROXY),
    (urllib3.exceptions.ProxySchemeUnknown, TransportFailure.PROXY),
    (urllib3.exceptions.ProxySchemeUnsupported, TransportFailure.PROXY),
    (urllib3.exceptions.LocationValueError, TransportFailure.INVALID),
    (urllib3.exceptions.InvalidHeader, TransportFailure.INVALID),
    (requests.exceptions.InvalidHeader, TransportFailure.INVALID),
    (requests.exceptions.InvalidURL, TransportFailure.INVALID),
    (requests.exceptions.MissingSchema, TransportFailure.INVALID),
    (requests.exceptions.URLRequired, TransportFailure.INVALID),
    (http.client.InvalidURL, TransportFailure.INVALID),
    # A label of a host name that no name server could hold.
    (UnicodeError, TransportFailure.INVALID),
    (socket.gaierror, TransportFailure.DNS),
    (urllib3.exceptions.NameResolutionError, TransportFailure.DNS),
    (ssl.SSLError, TransportFailure.TLS),
    (urllib3.exceptions.SSLError, TransportFailure.TLS),
    (requests.exceptions.SSLError, TransportFailure.TLS),
    (urllib3.exceptions.ConnectTimeoutError, TransportFailure.CONNECT),
    (urllib3.exceptions.NewConnectionError, TransportFailure.CONNECT),
    (requests.exceptions.ConnectTimeout, TransportFailure.CONNECT),
    (urllib3.exceptions.TimeoutError, TransportFailure.TIMEOUT),
    (requests.exceptions.Timeout, TransportFailure.TIMEOUT),
    (TimeoutError, TransportFailure.TIMEOUT),
    (http.client.IncompleteRead, TransportFailure.TRUNCATED),
    (urllib3.exceptions.IncompleteRead, TransportFailure.TRUNCATED),
    (requests.exceptions.ChunkedEncodingError, TransportFailure.TRUNCATED),
    (http.client.RemoteDisconnected, TransportFailure.RESET),
    (http.client.BadStatusLine, TransportFailure.PROTOCOL),
    (http.client.LineTooLong, TransportFailure.PROTOCOL),
    (http.client.HTTPException, TransportFailure.PROTOCOL),
    (urllib3.exceptions.HeaderParsingError, TransportFailure.PROTOCOL),
    (ConnectionError, TransportFailure.RESET),
    (urllib3.exceptions.ProtocolError, TransportFailure.RESET),
    (OSError, TransportFailure.RESET),
)


_TLS_SOURCE = re.compile(r"\s*\(_ssl\.c:\d+\)")

_TUNNEL_REFUSED = "Tunnel connection failed"
"""How ``http.client`` begins the text of the OSError that a proxy's answer to CONNECT becomes."""


def transport_error(error: BaseException, *, before_answer: bool = True, is_connected: bool = False) -> TransportError:
    """The failure behind an exception of requests, urllib3, ssl or the socket layer.

    ``is_connected`` says that the handshake had been done before, on a kept-alive connection or for an answer that
    has begun: an end of the TLS stream is then a cut connection and no failed handshake.
    """
    chain = tuple(_chain(error))
    kind = _kind(chain)
    if is_connected and any(isinstance(link, ssl.SSLEOFError | ssl.SSLZeroReturnError) for link in chain):
        kind = TransportFailure.RESET
    exhausted = any(isinstance(link, OSError) and link.errno == errno.EADDRNOTAVAIL for link in chain)
    if kind is TransportFailure.RESET and not before_answer:
        kind = TransportFailure.TRUNCATED
    return TransportError(kind, _detail(chain), before_answer=before_answer, ports_exhausted=exhausted)


def _kind(chain: tuple[BaseException, ...]) -> TransportFailure:
    if any(str(link).startswith(_TUNNEL_REFUSED) for link in chain):
        return TransportFailure.PROXY
    for category, candidate in _MOST_SPECIFIC_FIRST:
        if any(isinstance(link, category) for link in chain):
            return candidate
    return TransportFailure.RESET


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything it carries or came from; libraries nest in ``args``, ``reason`` and the chain."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]


def _detail(chain: tuple[BaseException, ...]) -> str:
    """The innermost text that is no wrapper around another exception: those embed whole URLs."""
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return str(getattr(link, "verify_message", "") or getattr(link, "reason", "") or link)
        if isinstance(link, ssl.SSLError):
            return (
                _TLS_SOURCE.sub("", str(getattr(link, "reason", "") or link.strerror or "")).replace("_", " ").lower()
            )
        if isinstance(link, OSError) and (link.strerror or str(link).startswith(_TUNNEL_REFUSED)):
            return link.strerror or str(link)
    for link in reversed(chain):
        if isinstance(link, TimeoutError):
            return ""
        if isinstance(link, http.client.HTTPException) and str(link):
            return str(link)
    return ""
