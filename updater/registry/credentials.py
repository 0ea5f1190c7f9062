"""From a credential source to credentials: one object that knows every type of source.

Rules: ``registries.md`` 2.1 to 2.6. ``env`` is read here; each other type has a reader of its own, which
``updater.registry.credential_readers`` puts together. A type without a reader is an error for the images that need
it and for no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

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
    """Reads credentials from the places that sources name. Thread-safe; closed once by its owner.

    ``resources`` are what the readers use and ``close`` lets go of.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        readers: Mapping[SourceType, SourceReader] | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        self._environment = environment
        self._readers = dict(readers or {})
        self._resources = resources or ExitStack()

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
                return self._reader(source).read(source, need, deadline)

    def refresh(self, need: CredentialNeed, refused: Credentials, deadline: Deadline) -> Credentials | None:
        """Other credentials in place of those that a registry refused, None when there are none to be had.

        Asks the source anew at most once a minute; whoever comes later is given what that brought. Raises
        ``CredentialError``.
        """
        source = need.source
        if not isinstance(source, CredentialSource) or source.type is SourceType.ENV:
            # The environment of a process does not change.
            return None
        reader = self._reader(source)
        current = reader.read(source, need, deadline)
        if current == refused:
            current = reader.renew(source, need, deadline)
        return None if current == refused else current

    def close(self) -> None:
        """Stop refreshing and close the connections of readers. Idempotent."""
        self._resources.close()

    def _reader(self, source: CredentialSource) -> SourceReader:
        reader = self._readers.get(source.type)
        if reader is None:
            raise CredentialError(
                f"credentials of type {source.type.value!r} are not available in this version",
                where=str(source),
                hint="use env:<variable> or ext:<absolute path>",
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
