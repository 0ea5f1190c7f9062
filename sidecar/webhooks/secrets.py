"""Whether a request knows the secret (``runtime.md`` 7.3): one function per mechanism, all with one comparison.

Every check raises ``WebhookRejected``. They are called with a secret that is not empty.
"""

from __future__ import annotations

import hashlib
import hmac

from sidecar.webhooks.rejections import rejected
from sidecar.webhooks.request import WebhookRequest
from updater.errors import WebhookRejected

SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - the name of a header
SIGNATURE_HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="


def check_query(request: WebhookRequest, secret: str) -> None:
    """Query parameter ``secret``."""
    _check_equal(request.query.get("secret", ""), secret)


def check_query_or_header(request: WebhookRequest, secret: str) -> None:
    """Query parameter ``secret``; the header counts only where there is no such parameter."""
    _check_equal(request.query.get("secret") or request.header(SECRET_HEADER), secret)


def check_authorization(request: WebhookRequest, secret: str) -> None:
    """The complete value of ``Authorization``, its scheme included."""
    _check_equal(request.header("Authorization"), secret, where="Authorization header")


def check_authorization_or_query(request: WebhookRequest, secret: str) -> None:
    """``Authorization`` equals the secret or ``Bearer <secret>``; without that header the query counts."""
    sent = request.header("Authorization")
    if not sent:
        check_query(request, secret)
    # Both are always compared, so that time does not tell which of them failed.
    elif not (_is_equal(sent, secret) | _is_equal(sent, f"Bearer {secret}")):
        raise _bad_secret("Authorization header")


def check_signature(request: WebhookRequest, secret: str) -> None:
    """HMAC-SHA256 of the exact body, ``sha256=<hex>``."""
    sent = request.header(SIGNATURE_HEADER)
    if not sent:
        raise rejected("missing_signature", f"missing webhook signature: header {SIGNATURE_HEADER}")
    if not _is_equal(sent, _PREFIX + _signature(request, secret)):
        raise rejected("bad_signature", "invalid webhook signature")


def check_signature_or_header(request: WebhookRequest, secret: str) -> None:
    """A signature; without one the secret itself in ``X-Webhook-Secret``."""
    if request.header(SIGNATURE_HEADER):
        check_signature(request, secret)
    else:
        _check_equal(request.header(SECRET_HEADER), secret, where=f"{SIGNATURE_HEADER} or {SECRET_HEADER} header")


def check_authorization_or_signature(request: WebhookRequest, secret: str) -> None:
    """Harbor: the secret, or the body's signature bare, after ``sha256=`` or after ``Bearer`` (decision D-14)."""
    sent = request.header("Authorization")
    if not sent:
        raise _missing_secret("Authorization header")
    signature = _signature(request, secret)
    accepted = (secret, signature, f"{_PREFIX}{signature}", f"Bearer {signature}")
    if not any([_is_equal(sent, each) for each in accepted]):  # noqa: C419 - all are compared, whichever is right
        raise _bad_secret("Authorization header")


def _check_equal(sent: str, secret: str, where: str = "") -> None:
    if not sent:
        raise _missing_secret(where)
    if not _is_equal(sent, secret):
        raise _bad_secret(where)


def _missing_secret(where: str) -> WebhookRejected:
    return rejected("missing_secret", f"missing webhook secret{f' in the {where}' if where else ''}")


def _bad_secret(where: str) -> WebhookRejected:
    return rejected("bad_secret", f"invalid webhook secret{f' in the {where}' if where else ''}")


def _signature(request: WebhookRequest, secret: str) -> str:
    return hmac.new(_bytes(secret), request.body, hashlib.sha256).hexdigest()


def _is_equal(sent: str, wanted: str) -> bool:
    """In the same time for every text of one length, and of every length: what is compared are hashes."""
    return hmac.compare_digest(hashlib.sha256(_bytes(sent)).digest(), hashlib.sha256(_bytes(wanted)).digest())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
