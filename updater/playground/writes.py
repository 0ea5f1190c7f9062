"""UpdateSpec and Patch: reading, validating, normalising and storing a whole spec (``argocd-api.md`` 7.4 and 7.6).

Finalizers are not put back with labels and annotations: the messages here do not declare them.
"""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from generated.application_messages_pb2 import (
    Application,
    ApplicationPatchRequest,
    ApplicationSpec,
    ApplicationUpdateSpecRequest,
)
from updater.playground.access import Caller
from updater.playground.environment import project_refused
from updater.playground.lookup import Target, denied_in_detail, require_application
from updater.playground.normalisation import normalise_spec
from updater.playground.patching import patched
from updater.playground.refusals import Refusal, invalid_argument, not_found
from updater.playground.script import Moment
from updater.playground.store import StoredApplication
from updater.playground.world import World

# How often the server writes against a Kubernetes conflict before it gives up (7.4, step 8).
WRITE_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class _Write:
    """One call on its way to the store: ``wanted`` has the new spec, labels and annotations."""

    world: World
    caller: Caller
    path: str
    target: Target
    is_validated: bool

    def store(self, read: StoredApplication, wanted: Application) -> StoredApplication:
        self.world.script.run(self.path, Moment.DURING)
        require_application(self.world, self.caller, "update", self.target)
        self._check(read, wanted.spec)
        spec = normalise_spec(wanted.spec)

        def replace(message: Application) -> None:
            message.spec.CopyFrom(spec)
            message.metadata.ClearField("labels")
            message.metadata.labels.MergeFrom(wanted.metadata.labels)
            message.metadata.ClearField("annotations")
            message.metadata.annotations.MergeFrom(wanted.metadata.annotations)

        for _ in range(WRITE_ATTEMPTS):
            if self.world.script.takes_conflict(self.path):
                continue
            written = self.world.change_current(read.key, replace)
            if written is None:
                raise not_found(read.key.name)
            return written
        raise Refusal(grpc.StatusCode.INTERNAL, "Failed to update application. Too many conflicts")

    def _check(self, read: StoredApplication, spec: ApplicationSpec) -> None:
        names = [each.name for each in spec.sources if each.name]
        if len(names) != len(set(names)):
            raise Refusal(grpc.StatusCode.UNKNOWN, f"application {read.key.name} has duplicate source names")
        project = spec.project or "default"
        if project != read.project:
            self._check_move(read, project)
        problem = self.world.environment.invalid_because
        if self.is_validated and problem:
            raise invalid_argument(f"application spec for {read.key.name} is invalid: InvalidSpecError: {problem}")

    def _check_move(self, read: StoredApplication, project: str) -> None:
        environment = self.world.environment
        target = environment.rbac_object(project, read.key.namespace, read.key.name)
        if not self.world.allows(self.caller, "applications", "create", target):
            raise denied_in_detail(self.caller, "create", target)
        found = self.world.project(project)
        if found is None or not found.admits(read.key.namespace, environment.controller_namespace):
            raise project_refused(project)


def update_spec(world: World, caller: Caller, path: str, request: ApplicationUpdateSpecRequest) -> ApplicationSpec:
    """The stored spec. The last writer wins: nothing compares versions."""
    target = Target(request.name, request.appNamespace, request.project)
    read = require_application(world, caller, "update", target)
    wanted = read.message()
    wanted.spec.CopyFrom(request.spec)
    is_validated = request.validate if request.HasField("validate") else True
    return _Write(world, caller, path, target, is_validated).store(read, wanted).message().spec


def patch(world: World, caller: Caller, path: str, request: ApplicationPatchRequest) -> bytes:
    """The encoded stored Application."""
    target = Target(request.name, request.appNamespace, request.project)
    read = require_application(world, caller, "get", target)
    require_application(world, caller, "update", target)
    wanted = patched(read.message(), request.patch, request.patchType)
    return _Write(world, caller, path, target, is_validated=True).store(read, wanted).encoded
