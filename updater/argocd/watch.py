"""The fleet as it changes: Watch over either channel, as events of snapshots (``argocd-api.md`` 7.3).

A Watch has no good end of its own: servers restart, and proxies cut what is idle, usually without trailers. Such ends
are told to nobody; the reader watches again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from generated.application_messages_pb2 import ApplicationQuery, ApplicationWatchEvent
from updater.argocd.client import ArgoCDClient, OpenWatch
from updater.argocd.fleet import FleetOptions
from updater.argocd.snapshots import snapshot_of
from updater.errors import ArgoCDError, ArgoCDTimeout, ArgoCDUnavailable
from updater.ports.fleet import FleetEvent

_DELETED = "DELETED"
_CUTS = (ArgoCDUnavailable, ArgoCDTimeout)
"""Server or proxy gone, idle limit, or cancelled by us."""


class ArgoCDFeed:
    """Opens Watches of the Applications that ``ArgoCDFleet`` lists. Thread-safe."""

    def __init__(self, client: ArgoCDClient, options: FleetOptions) -> None:
        self._client = client
        self._options = options

    def watch_applications(self, since_version: str) -> ApplicationEvents:
        """Events from ``since_version`` on; empty: every Application first. Raises ``ConfigurationError``."""
        query = ApplicationQuery(
            projects=self._options.projects,
            selector=self._options.selector or None,
            resourceVersion=since_version or None,
        )
        return ApplicationEvents(self._client.open_watch(query))


class ApplicationEvents:
    """The events of one Watch; ends when the stream ends or is cut.

    Raises ``ArgoCDError`` when the server refused it, or could not be reached at all.
    """

    def __init__(self, watch: OpenWatch) -> None:
        self._watch = watch
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[FleetEvent]:
        has_begun = False
        try:
            for message in self._watch.call:
                has_begun = True
                yield _event_of(message)
        except grpc.RpcError as error:
            failure = self._watch.error_of(error)
            if not self._is_cut(failure, has_begun=has_begun):
                raise failure from error

    def cancel(self) -> None:
        """End the stream, from any thread."""
        self._cancelled.set()
        self._watch.call.cancel()

    def _is_cut(self, failure: ArgoCDError, *, has_begun: bool) -> bool:
        return self._cancelled.is_set() or isinstance(failure, _CUTS) or (has_begun and failure.retryable)


def _event_of(message: ApplicationWatchEvent) -> FleetEvent:
    return FleetEvent(snapshot_of(message.application), is_deleted=message.type == _DELETED)
