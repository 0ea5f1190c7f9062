"""The services of the API server on the generated servicers, independent of the transport.

Every method enters through the ``Door``, asks the world, and returns a message, or bytes that are one already
encoded. A call ends early with a ``Refusal``.
"""

# ruff: noqa: N802, ARG002 - names and shapes of methods are those of the protocol

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
from google.protobuf.empty_pb2 import Empty

from generated import account_messages_pb2 as account
from generated import application_messages_pb2 as application
from generated import session_messages_pb2 as session
from generated import settings_messages_pb2 as settings
from generated import version_messages_pb2 as version
from generated.account_service_pb2_grpc import AccountServiceServicer
from generated.application_service_pb2_grpc import ApplicationServiceServicer
from generated.session_service_pb2_grpc import SessionServiceServicer
from generated.settings_service_pb2_grpc import SettingsServiceServicer
from generated.version_service_pb2_grpc import VersionServiceServicer
from updater.playground.authentication import Door
from updater.playground.lookup import Target, require_application, require_right, require_syncable
from updater.playground.methods import method_path
from updater.playground.queries import list_applications, watch_applications
from updater.playground.refusals import Refusal, invalid_argument, permission_denied
from updater.playground.world import World
from updater.playground.writes import patch, update_spec

_RESOURCES = frozenset(
    {
        "accounts",
        "applications",
        "applicationsets",
        "certificates",
        "clusters",
        "exec",
        "extensions",
        "gpgkeys",
        "logs",
        "projects",
        "repositories",
    }
)
_ACTIONS = frozenset({"get", "create", "update", "delete", "sync", "override", "action", "invoke"})


class Applications(ApplicationServiceServicer):
    """ApplicationService."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world)

    def List(self, request: application.ApplicationQuery, context: grpc.ServicerContext) -> bytes:
        caller = self._door.enter(method_path("List"), context)
        return list_applications(self._world, caller, request)

    def Get(self, request: application.ApplicationQuery, context: grpc.ServicerContext) -> bytes:
        caller = self._door.enter(method_path("Get"), context)
        if len(request.projects) > 1:
            raise invalid_argument("multiple projects specified - the get endpoint accepts either zero or one project")
        target = Target(request.name, request.appNamespace, "".join(request.projects))
        found = require_application(self._world, caller, "get", target)
        if request.HasField("refresh"):
            self._refresh(context)
        return found.encoded

    def _refresh(self, context: grpc.ServicerContext) -> None:
        """Wait for a controller; without one, until the call ends for another reason."""
        if self._world.environment.answers_refresh:
            return
        ended = threading.Event()
        if context.add_callback(ended.set):
            ended.wait()
        raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "application refresh deadline exceeded")

    def Watch(self, request: application.ApplicationQuery, context: grpc.ServicerContext) -> Iterator[bytes]:
        caller = self._door.enter(method_path("Watch"), context)
        with self._world.watch() as source:
            if not context.add_callback(source[0].close):
                return
            yield from watch_applications(self._world, caller, request, source)

    def UpdateSpec(
        self, request: application.ApplicationUpdateSpecRequest, context: grpc.ServicerContext
    ) -> application.ApplicationSpec:
        path = method_path("UpdateSpec")
        return update_spec(self._world, self._door.enter(path, context), path, request)

    def Patch(self, request: application.ApplicationPatchRequest, context: grpc.ServicerContext) -> bytes:
        path = method_path("Patch")
        return patch(self._world, self._door.enter(path, context), path, request)

    def Sync(self, request: application.ApplicationSyncRequest, context: grpc.ServicerContext) -> bytes:
        caller = self._door.enter(method_path("Sync"), context)
        target = Target(request.name, request.appNamespace, request.project)
        found = require_application(self._world, caller, "get", target)
        project = self._world.project(found.project)
        if project is not None and not project.can_sync:
            raise permission_denied("cannot sync: blocked by sync window")
        require_right(self._world, caller, "sync", found)
        require_syncable(found.message(), request.revision)
        if len(request.revisions) < len(request.sourcePositions):
            raise Refusal(grpc.StatusCode.INTERNAL, "runtime error: index out of range")
        return found.encoded

    def Rollback(self, request: application.ApplicationRollbackRequest, context: grpc.ServicerContext) -> bytes:
        caller = self._door.enter(method_path("Rollback"), context)
        target = Target(request.name, request.appNamespace, request.project)
        return require_application(self._world, caller, "sync", target).encoded

    def GetApplicationSyncWindows(
        self, request: application.ApplicationSyncWindowsQuery, context: grpc.ServicerContext
    ) -> application.ApplicationSyncWindowsResponse:
        caller = self._door.enter(method_path("GetApplicationSyncWindows"), context)
        target = Target(request.name, request.appNamespace, request.project)
        project = self._world.project(require_application(self._world, caller, "get", target).project)
        answer = application.ApplicationSyncWindowsResponse(canSync=project is None or project.can_sync)
        for kind, schedule, duration, manual in project.windows if project is not None else ():
            for windows in (answer.activeWindows, answer.assignedWindows):
                windows.add(kind=kind, schedule=schedule, duration=duration, manualSync=manual)
        return answer


class Versions(VersionServiceServicer):
    """VersionService: only the version itself without a login."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world)

    def Version(self, request: Empty, context: grpc.ServicerContext) -> version.VersionMessage:
        environment = self._world.environment
        if not self._door.enter(method_path("Version"), context).is_logged_in:
            return version.VersionMessage(Version=environment.version)
        return version.VersionMessage(
            Version=environment.version, BuildDate=environment.build_date, GitCommit=environment.git_commit
        )


class Sessions(SessionServiceServicer):
    """SessionService."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world)

    def Create(self, request: session.SessionCreateRequest, context: grpc.ServicerContext) -> session.SessionResponse:
        self._door.enter(method_path("Create"), context)
        return session.SessionResponse(token=self._world.log_in(request.username, request.password))

    def GetUserInfo(
        self,
        request: session.GetUserInfoRequest,
        context: grpc.ServicerContext,
    ) -> session.GetUserInfoResponse:
        claims = self._door.enter(method_path("GetUserInfo"), context).claims
        if claims is None:
            return session.GetUserInfoResponse()
        return session.GetUserInfoResponse(loggedIn=True, username=claims.rbac_subject, iss=claims.issuer)


class Accounts(AccountServiceServicer):
    """AccountService."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world)

    def CanI(self, request: account.CanIRequest, context: grpc.ServicerContext) -> account.CanIResponse:
        caller = self._door.enter(method_path("CanI"), context)
        if request.resource not in _RESOURCES:
            raise invalid_argument(f"{request.resource} does not match any known resource")
        if request.action not in _ACTIONS:
            raise invalid_argument(f"{request.action} does not match any known action")
        allows = self._world.allows(caller, request.resource, request.action, request.subresource)
        return account.CanIResponse(value="yes" if allows else "no")


class Settings(SettingsServiceServicer):
    """SettingsService, whose package is called ``cluster``."""

    PATH = "/cluster.SettingsService/Get"

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world)

    def Get(self, request: settings.SettingsQuery, context: grpc.ServicerContext) -> settings.Settings:
        environment = self._world.environment
        is_logged_in = self._door.enter(self.PATH, context).is_logged_in
        return settings.Settings(
            url=environment.url,
            trackingMethod=environment.tracking_method,
            controllerNamespace=environment.controller_namespace if is_logged_in else "",
            appsInAnyNamespaceEnabled=bool(environment.namespaces),
            installationID=environment.installation_id,
            hydratorEnabled=environment.is_hydrator_enabled,
        )
