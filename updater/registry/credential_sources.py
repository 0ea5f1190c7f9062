"""Credential sources as this floor speaks of them: mistakes are ``CredentialError``, and one may be put off.

The grammar is ``updater.model.credential_sources``.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import CredentialError
from updater.model.credential_sources import (
    OPERATOR_TYPES,
    OWNER_FORMS,
    CredentialSource,
    IllegalCredentialSource,
    SourceType,
    parse_source,
)

__all__ = ["OPERATOR_TYPES", "CredentialSource", "SourceType", "UnusableSource", "parse_credential_source"]

_OPERATOR_FORMS = f"{OWNER_FORMS.replace(' or ext', ', ext')}, file:<absolute path>, ecr:, gar: or acr:default"


@dataclass(frozen=True, slots=True)
class UnusableSource:
    """A source of ``registries.conf`` that did not parse: only its endpoint's credentials fail, when they are used."""

    problem: str


def parse_credential_source(text: str) -> CredentialSource:
    """The source that a text names; raises ``CredentialError`` with code ``credentials_invalid``."""
    try:
        return parse_source(text, forms=_OPERATOR_FORMS)
    except IllegalCredentialSource as problem:
        raise CredentialError(
            f"the credential source cannot be read: {problem.reason}",
            hint=f"write {problem.form}",
            code="credentials_invalid",
        ) from problem
