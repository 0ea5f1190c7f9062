"""List and Watch: filters, order and encoding of the answers (``argocd-api.md`` 7.1 and 7.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generated.application_messages_pb2 import ApplicationQuery
from generated.meta_messages_pb2 import ListMeta
from updater.playground.access import Caller
from updater.playground.feed import Event, EventType, Subscription
from updater.playground.lookup import may
from updater.playground.selectors import Requirement, parse_selector
from updater.playground.store import StoredApplication
from updater.playground.wire_fields import bytes_field, text_field
from updater.playground.world import World


@dataclass(frozen=True, slots=True)
class _Filter:
    """What List and Watch have in common: projects, labels, enabled namespaces, and the right to read."""

    world: World
    caller: Caller
    projects: frozenset[str]
    selector: tuple[Requirement, ...]

    @classmethod
    def of(cls, world: World, caller: Caller, query: ApplicationQuery) -> _Filter:
        return cls(world, caller, frozenset(query.projects), parse_selector(query.selector))

    def admits(self, application: StoredApplication) -> bool:
        return (
            (not self.projects or application.project in self.projects)
            and all(each.matches(application.labels) for each in self.selector)
            and self.world.environment.allows_namespace(application.key.namespace)
            and may(self.world, self.caller, "get", application)
        )


def list_applications(world: World, caller: Caller, query: ApplicationQuery) -> bytes:
    """The encoded ApplicationList; Applications without the right to read are left out in silence."""
    matches = _Filter.of(world, caller, query)
    everything, version = world.applications_and_version()
    found = [
        each
        for each in sorted(everything, key=lambda each: (each.key.name, each.key.namespace))
        if query.repo in ("", each.repo_url)
        and query.appNamespace in ("", each.key.namespace)
        and query.name in ("", each.key.name)
        and matches.admits(each)
    ]
    # At most one with a name, even when several namespaces have it (7.1).
    return _encode_list(found[:1] if query.name else found, version)


def watch_applications(
    world: World, caller: Caller, query: ApplicationQuery, source: tuple[Subscription, Iterable[StoredApplication]]
) -> Iterator[bytes]:
    """Encoded watch events: what is there first, then what happens, until the subscription ends."""
    subscription, present = source
    matches = _Filter.of(world, caller, query)
    least = _version_number(query.resourceVersion) if query.resourceVersion else 0
    namespace = query.appNamespace or world.environment.controller_namespace

    def concerns(application: StoredApplication) -> bool:
        is_named = not query.name or (application.key.name, application.key.namespace) == (query.name, namespace)
        return is_named and application.version >= least and matches.admits(application)

    if query.name or not query.resourceVersion:
        for each in sorted(present, key=lambda each: each.key):
            if concerns(each):
                yield encode_event(Event(EventType.ADDED, each))
    for event in subscription:
        if concerns(event.application):
            yield encode_event(event)


def encode_event(event: Event) -> bytes:
    return text_field(1, event.type.value) + bytes_field(2, event.application.encoded)


def _encode_list(found: Iterable[StoredApplication], version: int) -> bytes:
    head = bytes_field(1, ListMeta(resourceVersion=str(version)).SerializeToString())
    return head + b"".join(bytes_field(2, each.encoded) for each in found)


def _version_number(text: str) -> int:
    """A text that is no number counts as zero (7.3)."""
    return int(text) if re.fullmatch(r"[0-9]+", text) else 0
