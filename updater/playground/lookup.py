"""Finding the Application a call names, and which status says that it cannot (``argocd-api.md`` 5.5 and 5.6)."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from generated.application_messages_pb2 import Application
from updater.model.applications import ApplicationKey
from updater.playground.access import Caller
from updater.playground.environment import project_refused
from updater.playground.refusals import Refusal, not_found, permission_denied
from updater.playground.store import StoredApplication
from updater.playground.world import World


@dataclass(frozen=True, slots=True)
class Target:
    """The Application a request names; an empty project means that the request has none."""

    name: str
    namespace: str
    project: str


def require_application(world: World, caller: Caller, action: str, target: Target) -> StoredApplication:
    """The Application, with the right to ``action`` on it; a ``Refusal`` as the server would word it."""
    environment = world.environment
    namespace = target.namespace or environment.controller_namespace
    if not environment.allows_namespace(namespace):
        raise permission_denied()
    if target.project:
        named = environment.rbac_object(target.project, namespace, target.name)
        if not world.allows(caller, "applications", action, named):
            raise permission_denied()
    found = world.find(ApplicationKey(namespace, target.name))
    if found is None or not may(world, caller, action, found) or target.project not in ("", found.project):
        # With a project whose right was granted, "gone or moved" may be told; without, its existence is a secret.
        raise not_found(target.name) if target.project else permission_denied()
    require_project(world, found)
    return found


def require_project(world: World, application: StoredApplication) -> None:
    """A ``Refusal`` when the Application's project is missing or does not admit its namespace."""
    project = world.project(application.project)
    if project is None or not project.admits(application.key.namespace, world.environment.controller_namespace):
        raise project_refused(application.project)


def may(world: World, caller: Caller, action: str, application: StoredApplication) -> bool:
    return world.allows(caller, "applications", action, _object_of(world, application))


def require_right(world: World, caller: Caller, action: str, application: StoredApplication) -> None:
    """A check made after the Application was read: its ``Refusal`` names the request."""
    if not may(world, caller, action, application):
        raise denied_in_detail(caller, action, _object_of(world, application))


def require_syncable(message: Application, revision: str) -> None:
    """A ``Refusal`` when the Application is being deleted, or auto-sync follows another revision (7.7)."""
    if message.metadata.HasField("deletionTimestamp"):
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "application is deleting")
    automated = message.spec.syncPolicy.automated
    is_automated = message.spec.syncPolicy.HasField("automated") and (
        automated.enabled or not automated.HasField("enabled")
    )
    wanted = message.spec.source.targetRevision
    if is_automated and revision not in ("", wanted):
        text = f"Cannot sync to {revision}: auto-sync currently set to {wanted}"
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, text)


def denied_in_detail(caller: Caller, action: str, target: str) -> Refusal:
    issued = f", iat: {caller.claims.issued_at}" if caller.claims is not None else ""
    return permission_denied(f"permission denied: applications, {action}, {target}, sub: {caller.subject}{issued}")


def _object_of(world: World, application: StoredApplication) -> str:
    return world.environment.rbac_object(application.project, application.key.namespace, application.key.name)
