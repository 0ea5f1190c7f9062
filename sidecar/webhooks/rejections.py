"""Why a webhook is not accepted, in the words that people look for (``runtime.md`` 7.4).

What a stranger wrote is cut short and made printable before it is repeated.
"""

from __future__ import annotations

from updater.errors import WebhookRejected
from updater.transport.redaction import cap_text

IGNORABLE = frozenset({"ignored_action", "unsupported_event", "unsupported_type", "unsupported_package_type"})
"""Codes of what registries send as a matter of course and nobody needs to mend: pings, deletions, other artifacts."""

_SHOWN = 100
_PAYLOAD = "webhook payload"


def rejected(code: str, what: str) -> WebhookRejected:
    """An answer for the sender; ``what`` must not hold a secret."""
    return WebhookRejected(what, code=code)


def foreign(code: str, what: str, text: str) -> WebhookRejected:
    """An answer that repeats a text of the sender."""
    return rejected(code, f"{what}: {cap_text(text, _SHOWN)}")


def missing(item: str) -> WebhookRejected:
    """``item`` of the payload is not there; the code is ``missing_<item>``."""
    return rejected(f"missing_{item}", f"missing {item} in {_PAYLOAD}")


def unreadable() -> WebhookRejected:
    """The body is not JSON, or a used field has another type. What was wrong is not repeated: it is the sender's."""
    return rejected("bad_json", f"failed to parse {_PAYLOAD}")


def no_resources() -> WebhookRejected:
    """An artifact event about no artifact."""
    return rejected("no_resources", f"no resources in {_PAYLOAD}")
