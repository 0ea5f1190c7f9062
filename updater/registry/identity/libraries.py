"""What the clouds' libraries have in common: loading them, their failures, and how long their answers hold."""

from __future__ import annotations

import importlib
import logging
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from updater.errors import CredentialError
from updater.transport.redaction import cap_text, redact

CONNECT_S = 5.0
READ_S = 10.0
_LOGGERS = MappingProxyType({"ecr": ("botocore",), "gar": ("google",), "acr": ("azure", "msal")})
"""Roots of the logs by extra."""
BROKEN_ANSWERS = (LookupError, OSError, ValueError)
"""What the libraries let through when a metadata service or a file is not what they expect."""
MIN_LIFETIME_S = 60.0
"""The least that is believed, so that a clock that is wrong does not fetch for every image."""


def load_library(module: str, extra: str, where: str) -> Any:
    """A module of an optional library; raises ``CredentialError`` with code ``extra_missing``.

    Loaded by name, because nothing of it may be imported before somebody needs it. Its log is kept to warnings: below
    that, the libraries write whole answers, tokens included.
    """
    for name in _LOGGERS[extra]:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CredentialError(
            f"the Python library {error.name or module!r} is not installed",
            where=where,
            hint=f"install the extra: pip install 'argocd-image-updater[{extra}]'",
            code="extra_missing",
        ) from error


def identity_failed(what: str, error: BaseException, *, where: str, hint: str) -> CredentialError:
    """The error for a failure of a library. Its own text is foreign: one line, capped and redacted."""
    lines = str(error).strip().splitlines() or [""]
    said = cap_text(redact(lines[0] if not isinstance(error, LookupError) else f"the answer lacks {lines[0]}"))
    return CredentialError(
        f"{what}: {said or type(error).__name__}", where=where, hint=hint, code="identity_failed", retryable=True
    )


def lifetime_s(expires_at: datetime | None, now: datetime, expire_s: float, *, default_s: float) -> float:
    """Seconds from now until credentials must be replaced, no more than ``credsexpire`` when that is set.

    A moment without time zone is UTC, as Google's library gives it; without any, ``default_s`` counts.
    """
    remaining = default_s
    if expires_at is not None:
        aware = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
        remaining = max(MIN_LIFETIME_S, (aware - now).total_seconds())
    return min(remaining, expire_s) if expire_s > 0 else remaining
