"""Reading one Application afresh and storing its override list, by UpdateSpec or by a guarded patch.

One attempt each: whether another one makes sense is decided above, after looking at what the server then holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from generated.application_messages_pb2 import (
    Application,
    ApplicationPatchRequest,
    ApplicationQuery,
    ApplicationSpec,
    ApplicationUpdateSpecRequest,
)
from updater.argocd.client import ArgoCDClient
from updater.argocd.patches import override_patch
from updater.argocd.snapshots import snapshot_of
from updater.argocd.specs import is_rest_kept, place_overrides, read_overrides
from updater.clock import Deadline
from updater.errors import ArgoCDConflict, ArgoCDDenied, ArgoCDError, ArgoCDNotFound, ArgoCDProtocolError
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import OverrideLists
from updater.ports.fleet import FreshApplication
from updater.ports.log import EventLog


class WriteMode(Enum):
    """How a change is sent (``--argocd-write``)."""

    UPDATE = "update"
    """UpdateSpec: the whole fresh spec; validation can be left out; the last writer wins within one round trip."""
    PATCH = "patch"
    """Our fields only, refused when anything changed since the read; the server always validates."""


@dataclass(frozen=True, slots=True)
class OverrideOptions:
    """``validate`` is UpdateSpec's: True makes the server render all sources first."""

    mode: WriteMode = WriteMode.UPDATE
    validate: bool = False


class ArgoCDOverrides:
    """An ``OverrideStore`` over the API server. Thread-safe; writers of one Application are serialised above."""

    def __init__(self, client: ArgoCDClient, options: OverrideOptions, log: EventLog) -> None:
        self._client = client
        self._options = options
        self._log = log

    def fetch_fresh(self, key: ApplicationKey, project: str, deadline: Deadline) -> FreshApplication:
        """A direct read by the server, with the project named so that "gone" and "forbidden" can be told apart."""
        query = ApplicationQuery(name=key.name, appNamespace=key.namespace, projects=[project])
        application = self._client.fetch_application(query, deadline)
        snapshot = snapshot_of(application)
        if snapshot.key != key:
            raise ArgoCDNotFound(
                f"the server answered with Application {snapshot.key}",
                where=f"reading Application {key} at {self._client.server}",
                hint="the server does not know Applications outside its own namespace; leave such out",
            )
        return FreshApplication(snapshot, application)

    def store_overrides(
        self, fresh: FreshApplication, before: OverrideLists, after: OverrideLists, deadline: Deadline
    ) -> OverrideLists:
        application = fresh.handle
        if not isinstance(application, Application):
            raise TypeError("the handle of another store")
        try:
            if self._options.mode is WriteMode.PATCH:
                stored = self._patch(fresh.snapshot, before, after, deadline)
            else:
                stored = self._update(fresh.snapshot, application.spec, after, deadline)
        except ArgoCDDenied as error:
            raise self._explained(error, fresh.snapshot, deadline) from error
        return read_overrides(stored, after)

    def _update(
        self, snapshot: ApplicationSnapshot, spec: ApplicationSpec, after: OverrideLists, deadline: Deadline
    ) -> ApplicationSpec:
        request = ApplicationUpdateSpecRequest(
            name=snapshot.key.name,
            validate=self._options.validate,
            appNamespace=snapshot.key.namespace,
            project=snapshot.project,
        )
        request.spec.CopyFrom(spec)
        place_overrides(request.spec, after)
        answer = self._client.update_spec(request, deadline)
        if not is_rest_kept(request.spec, answer, after.source_index):
            self._log.warning(
                "spec_answer_differs",
                application=str(snapshot.key),
                text="the server stored other fields than were sent; replicas of different versions may be running",
            )
        return answer

    def _patch(
        self, snapshot: ApplicationSnapshot, before: OverrideLists, after: OverrideLists, deadline: Deadline
    ) -> ApplicationSpec:
        request = ApplicationPatchRequest(
            name=snapshot.key.name,
            patch=override_patch(snapshot, before, after),
            patchType="json",
            appNamespace=snapshot.key.namespace,
            project=snapshot.project,
        )
        try:
            return self._client.patch(request, deadline).spec
        except ArgoCDProtocolError as error:
            if "error applying patch" not in error.what:
                raise
            raise ArgoCDConflict(
                "the Application changed since it was read", where=error.where, hint=error.what
            ) from error

    def _explained(self, error: ArgoCDDenied, snapshot: ApplicationSnapshot, deadline: Deadline) -> ArgoCDError:
        """A refusal may hide a read that failed on the server (5.5): the server is asked what the token may do."""
        key = snapshot.key
        at_home = snapshot.controller_namespace in ("", key.namespace)
        rbac_object = f"{snapshot.project}/{key.name}" if at_home else f"{snapshot.project}/{key.namespace}/{key.name}"
        try:
            is_allowed = self._client.fetch_permission("update", rbac_object, deadline)
        except ArgoCDError:
            # The question only serves a better text; the refusal itself is what is reported.
            return error
        if is_allowed:
            hint = "the token may do this, so the server could not read the Application: it is tried again"
            return ArgoCDDenied(error.what, where=error.where, hint=hint, retryable=True)
        hint = f"grant the account 'applications, update, {snapshot.project}/*'"
        return ArgoCDDenied(error.what, where=error.where, hint=hint)
