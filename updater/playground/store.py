"""Applications as they lie in the world: encoded bytes, and beside them what filters look at.

The bytes are the truth. Undeclared fields therefore survive every read and write, reading copies nothing, and a
List of thousands is put together without encoding anything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from generated.application_messages_pb2 import Application
from updater.model.applications import ApplicationKey
from updater.playground.presence import fill_as_server


@dataclass(frozen=True, slots=True)
class StoredApplication:
    """One version of one Application. ``version`` is its resourceVersion as a number."""

    key: ApplicationKey
    version: int
    project: str
    repo_url: str
    labels: Mapping[str, str]
    encoded: bytes = field(repr=False)

    def message(self) -> Application:
        """A copy that the caller may change."""
        return Application.FromString(self.encoded)


def stored(message: Application, version: int) -> StoredApplication:
    """The stored form of a message at this version, written as the server writes it."""
    copy = Application()
    copy.CopyFrom(message)
    fill_as_server(copy)
    copy.metadata.resourceVersion = str(version)
    return StoredApplication(
        key=ApplicationKey(copy.metadata.namespace, copy.metadata.name),
        version=version,
        project=copy.spec.project or "default",
        repo_url=_first_repo_url(copy),
        encoded=copy.SerializeToString(),
        labels=MappingProxyType(dict(copy.metadata.labels)),
    )


def is_same_content(left: StoredApplication, right: StoredApplication) -> bool:
    """Whether two versions differ in nothing but their number (a write that Kubernetes would not record)."""
    if left.encoded == right.encoded:
        return True
    ours, theirs = left.message(), right.message()
    ours.metadata.resourceVersion = theirs.metadata.resourceVersion
    return ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


def _first_repo_url(message: Application) -> str:
    spec = message.spec
    if spec.HasField("sourceHydrator"):
        return spec.sourceHydrator.drySource.repoURL
    return spec.sources[0].repoURL if spec.sources else spec.source.repoURL
