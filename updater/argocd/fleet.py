"""The fleet as one token sees it: listed per project, checked for being complete (``argocd-api.md`` 5.3, 7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from generated.application_messages_pb2 import ApplicationQuery
from updater.argocd.client import ArgoCDClient
from updater.argocd.login import require_login
from updater.argocd.snapshots import snapshot_of
from updater.clock import Deadline
from updater.model.applications import ApplicationKey, ApplicationSnapshot


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """``projects`` splits the listing, one call each; ``selector`` is evaluated by the server.

    ``names`` are the only Applications to list, ``namespace/name`` or ``name`` in any namespace; empty means all.
    """

    projects: tuple[str, ...] = ()
    selector: str = ""
    names: tuple[str, ...] = ()

    def admits(self, key: ApplicationKey) -> bool:
        """Whether an Application is among the named ones."""
        return not self.names or key.name in self.names or str(key) in self.names


class ArgoCDFleet:
    """Lists Applications. Thread-safe."""

    def __init__(self, client: ArgoCDClient, options: FleetOptions) -> None:
        self._client = client
        self._options = options

    def fetch_applications(self, deadline: Deadline) -> tuple[ApplicationSnapshot, ...]:
        """All Applications that the token may read, each once, or an error."""
        require_login(self._client, deadline)
        # A project named twice, or an Application moved between two listings, must not get two writers.
        snapshots: dict[ApplicationKey, ApplicationSnapshot] = {}
        for query in self._queries():
            # The messages, tens of kilobytes each on a real server, are gone when the next listing begins.
            listed = (snapshot_of(item) for item in self._client.fetch_list(query, deadline).items)
            snapshots |= {snapshot.key: snapshot for snapshot in listed if self._options.admits(snapshot.key)}
            del listed
        return tuple(snapshots.values())

    def _queries(self) -> list[ApplicationQuery]:
        selector = self._options.selector or None
        if self._options.names and all("/" in name for name in self._options.names):
            return [self._named(name, selector) for name in self._options.names]
        if not self._options.projects:
            return [ApplicationQuery(selector=selector)]
        return [ApplicationQuery(projects=[project], selector=selector) for project in self._options.projects]

    def _named(self, key: str, selector: str | None) -> ApplicationQuery:
        # A name without its namespace would not do: the server answers with one Application, from any namespace (7.1).
        namespace, _, name = key.rpartition("/")
        projects = self._options.projects
        return ApplicationQuery(name=name, appNamespace=namespace, projects=projects, selector=selector)
