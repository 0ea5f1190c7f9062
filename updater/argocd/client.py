"""The client: typed calls over either channel, the token on each, reads repeated, errors of our tree.

Thread-safe, built once, shared by everybody. Writes are sent once: whether to send another is the caller's decision
after it has looked at the outcome (``argocd-api.md`` 7.4).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

from generated.account_messages_pb2 import CanIRequest, CanIResponse
from generated.account_service_pb2_grpc import AccountServiceStub
from generated.application_messages_pb2 import (
    Application,
    ApplicationList,
    ApplicationPatchRequest,
    ApplicationQuery,
    ApplicationSpec,
    ApplicationUpdateSpecRequest,
)
from generated.application_service_pb2_grpc import ApplicationServiceStub
from generated.session_messages_pb2 import GetUserInfoRequest, GetUserInfoResponse
from generated.session_service_pb2_grpc import SessionServiceStub
from generated.settings_messages_pb2 import Settings, SettingsQuery
from generated.settings_service_pb2_grpc import SettingsServiceStub
from generated.version_messages_pb2 import VersionMessage
from generated.version_service_pb2_grpc import VersionServiceStub
from updater.argocd.statuses import CallSite, call_error, read_attempts
from updater.argocd.tokens import TokenSource, expiry_warning, read_claims
from updater.clock import Backoff, Clock, Deadline
from updater.errors import ArgoCDError, ArgoCDUnauthenticated, ArgoCDUnavailable
from updater.ports.log import EventLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.transport.redaction import Secret

Answer = TypeVar("Answer")

READ_METHODS = frozenset(
    {
        "/application.ApplicationService/List",
        "/application.ApplicationService/Get",
        "/application.ApplicationService/Watch",
        "/application.ApplicationService/GetApplicationSyncWindows",
        "/version.VersionService/Version",
        "/session.SessionService/GetUserInfo",
        "/account.AccountService/CanI",
        "/cluster.SettingsService/Get",
    }
)
"""Calls that change nothing, by path."""


@dataclass(frozen=True, slots=True)
class CallTimeouts:
    """Seconds per call, all attempts included for reads (3.7)."""

    short_s: float = 15.0
    list_s: float = 120.0
    get_s: float = 30.0
    update_s: float = 30.0
    update_validated_s: float = 120.0

    @classmethod
    def all_of(cls, seconds: float) -> CallTimeouts:
        """The same limit for every call."""
        return cls(seconds, seconds, seconds, seconds, seconds)


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """``server`` is the text for errors, never a URL with credentials."""

    server: str
    timeouts: CallTimeouts = field(default_factory=CallTimeouts)
    read_backoff: Backoff = field(default_factory=lambda: Backoff(attempts=4, base_s=0.5, cap_s=8.0))


@dataclass(frozen=True, slots=True)
class OpenWatch:
    """A running Watch: ``call`` iterates over ``ApplicationWatchEvent`` and can be cancelled from any thread.

    ``error_of`` turns the ``grpc.RpcError`` of its iteration into our tree.
    """

    call: Any
    error_of: Callable[[grpc.RpcError], ArgoCDError]


class ArgoCDClient:
    """Calls of the API server. Every method raises ``ArgoCDError`` or, for the token's file, ``ConfigurationError``."""

    def __init__(
        self,
        channel: grpc.Channel,
        tokens: TokenSource,
        options: ClientOptions,
        clock: Clock,
        log: EventLog,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics: Metrics = metrics or NoMetrics()
        self._metrics_server = options.server.partition("://")[2] or options.server
        self._channel = channel
        self._tokens = tokens
        self._options = options
        self._clock = clock
        self._log = log
        self._warned_lock = threading.Lock()
        self._warned_token: Secret | None = None
        applications = ApplicationServiceStub(channel)
        self._list: Callable[..., ApplicationList] = applications.List
        self._get: Callable[..., Application] = applications.Get
        self._watch: Callable[..., Any] = applications.Watch
        self._update_spec: Callable[..., ApplicationSpec] = applications.UpdateSpec
        self._patch: Callable[..., Application] = applications.Patch
        self._version: Callable[..., VersionMessage] = VersionServiceStub(channel).Version
        self._user: Callable[..., GetUserInfoResponse] = SessionServiceStub(channel).GetUserInfo
        self._can_i: Callable[..., CanIResponse] = AccountServiceStub(channel).CanI
        self._settings: Callable[..., Settings] = SettingsServiceStub(channel).Get

    @property
    def server(self) -> str:
        return self._options.server

    def fetch_version(self, deadline: Deadline) -> VersionMessage:
        """Answered without a valid token too."""
        return self._read(self._version, Empty(), "asking for the version", deadline.sooner(self._times.short_s))

    def fetch_user(self, deadline: Deadline) -> GetUserInfoResponse:
        """Who the token is; ``loggedIn`` is False for a token that the server does not accept."""
        request = GetUserInfoRequest()
        return self._read(self._user, request, "checking the token", deadline.sooner(self._times.short_s))

    def fetch_settings(self, deadline: Deadline) -> Settings:
        request = SettingsQuery()
        return self._read(self._settings, request, "reading settings", deadline.sooner(self._times.short_s))

    def fetch_permission(self, action: str, rbac_object: str, deadline: Deadline) -> bool:
        """Whether the token may do ``action`` on an Application named as in RBAC policies."""
        request = CanIRequest(resource="applications", action=action, subresource=rbac_object)
        doing = f"asking whether {action} is allowed on {rbac_object}"
        answer = self._read(self._can_i, request, doing, deadline.sooner(self._times.short_s))
        return answer.value == "yes"

    def fetch_list(self, query: ApplicationQuery, deadline: Deadline) -> ApplicationList:
        return self._read(self._list, query, "listing Applications", deadline.sooner(self._times.list_s))

    def fetch_application(self, query: ApplicationQuery, deadline: Deadline) -> Application:
        doing = f"reading Application {query.appNamespace}/{query.name}"
        return self._read(self._get, query, doing, deadline.sooner(self._times.get_s))

    def open_watch(self, query: ApplicationQuery) -> OpenWatch:
        """A Watch without a total limit; its channel ends it when nothing arrives for long."""
        token = self._tokens.current()
        self._warn_of_expiry(token)
        return OpenWatch(self._watch(query, metadata=_metadata(token)), partial(self._watch_error, token))

    def update_spec(self, request: ApplicationUpdateSpecRequest, deadline: Deadline) -> ApplicationSpec:
        """One attempt."""
        seconds = self._times.update_validated_s if request.validate else self._times.update_s
        doing = f"updating Application {request.appNamespace}/{request.name}"
        return self._call(self._update_spec, request, doing, deadline.sooner(seconds))

    def patch(self, request: ApplicationPatchRequest, deadline: Deadline) -> Application:
        """One attempt; the server always validates a patch."""
        doing = f"patching Application {request.appNamespace}/{request.name}"
        return self._call(self._patch, request, doing, deadline.sooner(self._times.update_validated_s))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    @property
    def _times(self) -> CallTimeouts:
        return self._options.timeouts

    def _read(self, method: Callable[..., Answer], request: Any, doing: str, deadline: Deadline) -> Answer:
        attempt = 0
        while True:
            try:
                return self._call(method, request, doing, deadline)
            except ArgoCDError as error:
                attempt += 1
                if not self._may_repeat(error, attempt, doing, deadline):
                    raise

    def _may_repeat(self, error: ArgoCDError, attempt: int, doing: str, deadline: Deadline) -> bool:
        """Waits before it says yes."""
        cause = error.__cause__
        allowed = read_attempts(cause) if isinstance(cause, grpc.RpcError) else 1
        delay = self._options.read_backoff.delay_s(attempt - 1, self._clock, at_least_s=error.retry_after_s or 0.0)
        if attempt >= min(allowed, self._options.read_backoff.attempts) or delay >= deadline.remaining_s():
            return False
        self._log.debug("argocd_read_repeated", doing=doing, attempt=attempt, delay_s=round(delay, 3), error=str(error))
        return self._clock.wait_s(delay)

    def _call(self, method: Callable[..., Answer], request: Any, doing: str, deadline: Deadline) -> Answer:
        """One call; a second one only when the token was refused, which means that nothing was done, and renewed."""
        token = self._tokens.current()
        self._warn_of_expiry(token)
        try:
            return self._call_with(token, method, request, doing, deadline)
        except ArgoCDUnauthenticated:
            if not self._tokens.renewed(token):
                raise
            self._log.info("argocd_token_renewed")
        return self._call_with(self._tokens.current(), method, request, doing, deadline)

    def _call_with(
        self, token: Secret, method: Callable[..., Answer], request: Any, doing: str, deadline: Deadline
    ) -> Answer:
        self._metrics.increase("argocd_api_requests_total", argocd_server=self._metrics_server)
        try:
            return method(request, timeout=deadline.remaining_s(), metadata=_metadata(token))
        except grpc.RpcError as error:
            self._metrics.increase("argocd_api_errors_total", argocd_server=self._metrics_server)
            raise call_error(error, CallSite(doing, self._options.server)) from error

    def _watch_error(self, token: Secret, error: grpc.RpcError) -> ArgoCDError:
        """The branch of the tree; a refused token that was renewed only means that the next Watch may be opened."""
        failure = call_error(error, CallSite("watching Applications", self._options.server))
        if isinstance(failure, ArgoCDUnauthenticated) and self._tokens.renewed(token):
            self._log.info("argocd_token_renewed")
            return ArgoCDUnavailable("the token has been renewed", where=failure.where)
        return failure

    def _warn_of_expiry(self, token: Secret) -> None:
        with self._warned_lock:
            if token == self._warned_token:
                return
            self._warned_token = token
        warning = expiry_warning(read_claims(token), self._clock.now())
        if warning:
            self._log.warning("argocd_token_expiry", text=warning)


def _metadata(token: Secret) -> tuple[tuple[str, str], ...]:
    # An empty token header would shadow other sources on the server (5.1), so none is sent.
    return (("token", token.reveal()),) if token else ()
