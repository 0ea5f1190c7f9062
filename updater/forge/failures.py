"""From an answer that is none of success to an error of our tree (``write-back.md`` 6.5 and 7.1)."""

from __future__ import annotations

import email.utils
from datetime import UTC

from updater.clock import Clock
from updater.errors import ForgeError
from updater.forge.answers import Answer
from updater.forge.limits import is_rate_limit, renewal_s
from updater.transport.errors import TransportError
from updater.transport.redaction import cap_text, redact, summarize_html

MAX_RETRY_AFTER_S = 900.0
"""What servers ask for beyond this is not believed; it is longer than any deadline here."""

_SIGN_IN = 203
"""How Azure DevOps answers a token that it does not know: with a page to sign in, and no error."""


def refused(answer: Answer, where: str, clock: Clock) -> ForgeError:
    """The error behind an answer with a status that nobody wanted."""
    said = _said(answer)
    wait_s = _retry_after_s(answer, clock)
    if is_rate_limit(answer):
        text = f"the rate limit of the API is used up: status {answer.status}{said}"
        left_s = renewal_s(answer, wait_s, clock)
        return ForgeError(text, where=where, hint="it is tried again in a later round", retry_after_s=left_s)
    if answer.status in (401, 403, _SIGN_IN):
        text = f"the API does not accept the token: status {answer.status}{said}"
        hint = "give the token the right to read and write pull requests and branches, or renew it"
        return ForgeError(text, where=where, hint=hint, code="pr_denied")
    if answer.is_redirect:
        text = f"the API redirects to {cap_text(redact(answer.location), 120)!r}, which the token is not sent to"
        return ForgeError(text, where=where, hint="correct the address, or see --pull-request-api-url")
    if answer.status == 404:
        text = f"the API knows nothing there: status 404{said}"
        hint = "the repository does not exist, or the token may not see it; see also --pull-request-api-url"
        return ForgeError(text, where=where, hint=hint)
    is_passing = answer.status == 429 or answer.status >= 500
    text = f"the API refused: status {answer.status}{said}"
    return ForgeError(text, where=where, retryable=is_passing, retry_after_s=wait_s)


def unreachable(error: TransportError, where: str) -> ForgeError:
    """The error behind an exchange that failed."""
    return ForgeError(f"the API cannot be reached: {error.text}", where=where, retryable=True)


def misunderstood(what: str, where: str) -> ForgeError:
    """The error for an answer of the wrong shape."""
    hint = "see whether --pull-request-api-url names the API, and whether a proxy answers in its place"
    return ForgeError(f"the answer of the API is not understood: {what}", where=where, hint=hint)


def _said(answer: Answer) -> str:
    """What the body says, for people, with a blank in front; pages without their tags."""
    text = answer.text.strip()
    if text.startswith("<"):
        return f" ({summarize_html(text)})"
    return f" ({cap_text(redact(text))})" if text else ""


def _retry_after_s(answer: Answer, clock: Clock) -> float | None:
    """Seconds, or a date (RFC 9110 10.2.3); None when there is none or it makes no sense."""
    text = answer.header("retry-after").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(0.0, (aware - clock.now()).total_seconds()), MAX_RETRY_AFTER_S)
