"""What a registry's failures mean: from transport errors and HTTP answers to the error tree.

The table is ``registries.md`` 4.1. Texts from outside are capped and redacted here, and a hint for people is added.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from updater.errors import (
    RegistryAuthError,
    RegistryError,
    RegistryProtocolError,
    RegistryUnavailable,
    RegistryUnreachable,
    RepositoryUnknown,
)
from updater.registry.answers import Answer
from updater.transport.errors import TransportError, TransportFailure
from updater.transport.redaction import cap_text, redact, summarize_html

TRANSIENT_STATUSES = frozenset({408, 425, 429, 499, 500, 502, 503, 504, 522})
MAX_RETRY_AFTER_S = 15 * 60.0
NO_RETRY_CODES = frozenset({"registry_tls", "registry_silent", "cancelled", "token_unavailable"})
"""Codes of errors whose class may be retried and which themselves may not: TLS needs an operator, who is silent is
asked again after a pause, a cancelled call must end, and the token service was retried before it gave up."""
RETRY_ONCE_CODES = frozenset({"bad_response", "digest_mismatch"})
"""A page of a captive portal may be gone a moment later; a second wrong answer is believed."""
CONTENT_CODES = frozenset(
    {"bad_manifest", "unsupported_manifest", "too_large", "digest_mismatch", "content_missing", "request_refused"}
)
"""Codes that speak of one piece of content, for good: its tag is no candidate, the others are (decision D8)."""

_UNREACHABLE_HINTS = {
    TransportFailure.DNS: "check the host name in the image or the api_url",
    TransportFailure.TLS: "add the registry's CA with ca_file in registries.conf",
    TransportFailure.PROXY: "check HTTPS_PROXY and NO_PROXY",
    TransportFailure.INVALID: "check the host in the image, api_url and the credentials in registries.conf",
    TransportFailure.CONNECT: "check that the registry is reachable from here",
}
_UNREACHABLE_CODES = {
    TransportFailure.TLS: "registry_tls",
    TransportFailure.INVALID: "registry_address_invalid",
    TransportFailure.TIMEOUT: "registry_timeout",
    TransportFailure.CANCELLED: "cancelled",
}


def may_be_repeated(error: RegistryError, failed_attempts: int) -> bool:
    """Whether one more attempt is worth it after so many that failed."""
    if error.code in RETRY_ONCE_CODES:
        return failed_attempts == 1
    return error.retryable and error.code not in NO_RETRY_CODES


def broken_exchange(error: TransportError, where: str) -> RegistryError:
    """The error for an exchange that gave no complete answer."""
    if error.kind is TransportFailure.TOO_LARGE:
        return RegistryProtocolError(error.text, where=where, code="too_large")
    if error.kind is TransportFailure.PROTOCOL:
        return bad_response(error.text, where)
    return RegistryUnreachable(
        error.text,
        where=where,
        hint=_UNREACHABLE_HINTS.get(error.kind, ""),
        code=_UNREACHABLE_CODES.get(error.kind),
        retryable=False if error.kind is TransportFailure.INVALID else None,
    )


def bad_response(what: str, where: str) -> RegistryProtocolError:
    """The error for an answer of the wrong shape under a status that promised better."""
    return RegistryProtocolError(
        what, where=where, hint="something else than the registry's API may be answering", code="bad_response"
    )


def refusal(answer: Answer, where: str, now: datetime, *, has_credentials: bool) -> RegistryError:
    """The error for an answer whose status is not 200."""
    said = _said(answer)
    if answer.status == 429 or "TOOMANYREQUESTS" in error_codes(answer):
        text = f"the registry limits our requests{said}"
        return RegistryUnavailable(text, where=where, code="rate_limited", retry_after_s=retry_after_s(answer, now))
    if answer.status in TRANSIENT_STATUSES:
        text = f"the registry is not available now{said}"
        return RegistryUnavailable(text, where=where, retry_after_s=retry_after_s(answer, now))
    if answer.status in {401, 403}:
        return _no_access(answer.status, said, where, has_credentials=has_credentials)
    if answer.status == 404:
        hint = "check the image name" if has_credentials else "check the image name; a private one needs credentials"
        return RepositoryUnknown(f"the registry does not know this repository{said}", where=where, hint=hint)
    if 300 <= answer.status < 400:
        hint = "set api_url to the address that serves /v2/"
        return RegistryProtocolError(f"the registry redirects{said}", where=where, hint=hint, code="redirected")
    return RegistryProtocolError(f"the registry refuses the request{said}", where=where, code="request_refused")


def error_codes(answer: Answer) -> frozenset[str]:
    """Codes of the error list in a body, upper case; empty for a body of another shape."""
    return frozenset(str(error.get("code", "")).upper() for error in _error_list(answer))


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Seconds that Retry-After asks for, at most 15 minutes; None when it is absent, negative or unreadable."""
    text = answer.header("retry-after").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, now)
    return min(seconds, MAX_RETRY_AFTER_S) if seconds >= 0 else None


def _seconds_until(http_date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return -1.0
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


def _no_access(status: int, said: str, where: str, *, has_credentials: bool) -> RegistryAuthError:
    if has_credentials:
        what, hint = "the credentials were rejected or do not reach this repository", "check them in registries.conf"
    else:
        what, hint = "the registry wants credentials", "configure credentials for it in registries.conf"
    code = "access_denied" if status == 403 else "auth_failed" if has_credentials else "auth_required"
    return RegistryAuthError(f"{what}{said}", where=where, hint=hint, code=code)


def _said(answer: Answer) -> str:
    """``: HTTP <status>`` and what the body says, as one short line without secrets."""
    errors = _error_list(answer)
    if errors:
        body = ", ".join(f"{error.get('code', '')} {error.get('message', '')}".strip() for error in errors[:3])
    elif b"<" in answer.body[:512]:
        body = summarize_html(answer.body.decode("utf-8", "replace"))
    else:
        body = answer.body.decode("utf-8", "replace")
    body = cap_text(redact(body))
    return f": HTTP {answer.status} ({body})" if body else f": HTTP {answer.status}"


def _error_list(answer: Answer) -> list[dict[str, Any]]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return []
    errors = document.get("errors") if isinstance(document, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
