"""Answers that do not come from the gRPC service: what a proxy, portal or wrong address says, turned into a status.

The codes are those of the gRPC specification's table of HTTP statuses with the additions of ``argocd-api.md`` 3.6; the
hints name what an operator can change.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import grpc
import urllib3

from updater.clock import Clock
from updater.transport.redaction import cap_text, redact, summarize_html

MAX_RETRY_AFTER_S = 900.0
_FOREIGN_TYPES = ("text/html", "application/json", "text/plain", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """What an intermediary's answer amounts to."""

    code: grpc.StatusCode
    what: str
    hint: str
    retry_after_s: float | None = None
    is_transient: bool = False
    """A read may be asked again, although the code does not say so (3.6)."""


_ROOT_PATH_HINT = (
    "check the address and --argocd-grpc-web-root-path, and that the proxy passes POST requests of this path to "
    "argocd-server unchanged"
)
_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
_UNKNOWN = grpc.StatusCode.UNKNOWN

_BY_STATUS: dict[int, tuple[grpc.StatusCode, str]] = {
    204: (_UNKNOWN, "a proxy answered with an empty page of its own; route the path to argocd-server"),
    400: (grpc.StatusCode.INTERNAL, "if this port speaks TLS, drop --argocd-plaintext"),
    401: (
        grpc.StatusCode.UNAUTHENTICATED,
        "a proxy before argocd-server wants its own login: give it service headers with --argocd-header",
    ),
    403: (
        grpc.StatusCode.PERMISSION_DENIED,
        "a firewall or proxy before argocd-server refuses this client: allow it there, or change --argocd-user-agent",
    ),
    404: (grpc.StatusCode.UNIMPLEMENTED, _ROOT_PATH_HINT),
    405: (_UNKNOWN, "something turned the POST into another method: address argocd-server directly, without redirects"),
    408: (_UNKNOWN, "a proxy gave up waiting; raise its timeouts"),
    411: (_UNKNOWN, "a proxy refuses the request's body; check its configuration"),
    413: (grpc.StatusCode.RESOURCE_EXHAUSTED, "raise the proxy's limit for request bodies"),
    415: (
        _UNKNOWN,
        "something changed or does not know the content type application/grpc-web+proto; check the path and the proxy",
    ),
    426: (_UNKNOWN, "a proxy speaks HTTP/1.0 upstream: set its upstream HTTP version to 1.1"),
    429: (_UNAVAILABLE, "a proxy limits the rate; raise its limit or run less often"),
    431: (grpc.StatusCode.INTERNAL, "the headers are too large: use a local account's API key instead of an SSO token"),
    464: (_UNKNOWN, "the load balancer's target group must use HTTP/1.1 for gRPC-Web"),
    499: (_UNKNOWN, "a proxy gave up waiting; raise its timeouts"),
    500: (_UNKNOWN, "look at the log of the proxy before argocd-server"),
    502: (
        _UNAVAILABLE,
        "the proxy cannot talk to argocd-server: check that both agree on TLS or plaintext and on HTTP/1.1",
    ),
    503: (_UNAVAILABLE, "no argocd-server is ready behind the proxy"),
    504: (_UNAVAILABLE, "the proxy gave up waiting for argocd-server; raise its read timeout"),
    524: (_UNAVAILABLE, "the proxy gave up waiting for argocd-server; raise its read timeout"),
}


_TRANSIENT = frozenset({408, 499, 500})
"""Answers that say Unknown and may pass all the same."""


def foreign_status(status: int, headers: urllib3.HTTPHeaderDict, body: str, clock: Clock) -> ForeignAnswer:
    """What an answer with another HTTP status than 200 and without a gRPC status means."""
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status in _BY_STATUS:
        code, hint = _BY_STATUS[status]
    elif 520 <= status <= 530:
        code, hint = _UNAVAILABLE, "the proxy cannot reach argocd-server"
    else:
        code, hint = _UNKNOWN, _ROOT_PATH_HINT
    if status == 400 and ("HTTPS port" in body or "HTTPS server" in body):
        # nginx says the former, servers written in Go the latter.
        hint = "this port speaks TLS: drop --argocd-plaintext or write https:// in the address"
    what = f"HTTP status {status} instead of a gRPC-Web answer{_excerpt(headers, body)}"
    return ForeignAnswer(code, what, hint, _retry_after(headers, clock), is_transient=status in _TRANSIENT)


def foreign_content(headers: urllib3.HTTPHeaderDict, body: str) -> ForeignAnswer | None:
    """What an answer with status 200 means when its content type is not gRPC-Web's; None when it may be."""
    kind = content_type(headers)
    if kind.startswith("application/grpc-web-text"):
        return ForeignAnswer(
            _UNKNOWN,
            f"the answer has the content type {cap_text(kind, 60)}",
            "a proxy translates gRPC-Web into its text form; let it pass the binary form through",
        )
    if kind not in _FOREIGN_TYPES:
        return None
    return ForeignAnswer(
        _UNKNOWN,
        f"a page of type {kind} instead of a gRPC-Web answer{_excerpt(headers, body)}",
        "a login portal or the wrong server answers here: check the address, the root path and --argocd-header",
    )


def content_type(headers: urllib3.HTTPHeaderDict) -> str:
    """The media type without parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _redirect(status: int, headers: urllib3.HTTPHeaderDict) -> ForeignAnswer:
    scheme, shown = _target(headers.get("location", ""))
    if status in (307, 308) and scheme == "https":
        hint = (
            "the server wants TLS: drop --argocd-plaintext; if a proxy ends TLS before it, set server.insecure in "
            "argocd-cmd-params-cm"
        )
    else:
        hint = "redirects are not followed, they would carry the token away: name the final address, or log in to the "
        hint += "portal with --argocd-header"
    return ForeignAnswer(_UNKNOWN, f"HTTP status {status}, a redirect to {shown or 'nowhere'}", hint)


def _target(location: str) -> tuple[str, str]:
    """Scheme and text of a redirect's target: without user info, query and fragment, which may hold secrets."""
    try:
        target = urlsplit(location)
    except ValueError:
        return "", "an address that is none"
    host = target.netloc.rpartition("@")[2]
    return target.scheme, cap_text(redact(f"{target.scheme}://{host}{target.path}" if host else target.path))


def _excerpt(headers: urllib3.HTTPHeaderDict, body: str) -> str:
    # Redacted before it is cut: half a token has no shape to be known by.
    text = redact(body)
    said = summarize_html(text) if "html" in content_type(headers) else cap_text(text, 120)
    return f', saying "{said}"' if said else ""


def _retry_after(headers: urllib3.HTTPHeaderDict, clock: Clock) -> float | None:
    """Seconds that a server asked to wait, at most a quarter of an hour; None when it did not say so legibly."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - clock.now()).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, MAX_RETRY_AFTER_S) if 0 <= seconds < float("inf") else None
