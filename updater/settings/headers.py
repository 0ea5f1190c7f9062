"""Extra headers of the Argo CD API: ``Name: value`` (``argocd-api.md`` 6.1)."""

from __future__ import annotations

import re

from updater.errors import ConfigurationError
from updater.transport.redaction import Secret

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header name (RFC 9110, 5.6.2)."""


def parse_header(header: Secret, where: str) -> tuple[str, Secret]:
    """Name and value: all before the first colon, all after it without surrounding blanks.

    Raises ``ConfigurationError`` ``bad_header``; the text holds no part of the value.
    """
    name, colon, value = header.reveal().partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise ConfigurationError("a header is not of the form 'Name: value'", where=where, code="bad_header")
    if not value.isprintable():
        raise ConfigurationError(f"the value of header {name} holds control characters", where=where, code="bad_header")
    return name, Secret(value.strip())
