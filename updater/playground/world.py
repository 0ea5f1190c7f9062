"""The world behind the API server, and everything a test or the demo can do to it in one line.

``world.calls`` shows what was asked. The semantics of the calls themselves are in ``services``, ``queries`` and
``writes``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import grpc

from generated.application_messages_pb2 import Application
from updater.clock import Clock
from updater.model.applications import ApplicationKey
from updater.playground.access import Account, Policy
from updater.playground.applications import Sample
from updater.playground.call_log import CallRecord
from updater.playground.controller import live_images
from updater.playground.environment import Environment, Project
from updater.playground.feed import Event, EventType
from updater.playground.methods import method_path
from updater.playground.refusals import Refusal
from updater.playground.script import Callback, Moment
from updater.playground.state import WorldState
from updater.playground.store import stored
from updater.playground.tokens import API_KEY

DEFAULT_ACCOUNT = "updater"

Key = ApplicationKey | str


class World(WorldState):
    """One simulated installation.

    It starts with one account, ``updater``, that has an API key capability and may get, update and sync every
    Application; ``issue_token()`` gives its token. Keys are ``ApplicationKey``s, or texts ``namespace/name`` or
    ``name`` (in the controller's namespace).
    """

    def __init__(self, environment: Environment | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(environment, clock=clock)
        self._base_images: dict[ApplicationKey, tuple[str, ...]] = {}
        self.add_account(DEFAULT_ACCOUNT)
        for action in ("get", "update", "sync"):
            self.allow(DEFAULT_ACCOUNT, "applications", action, "*")

    def configure(self, **changes: Any) -> None:
        """Replace fields of the ``Environment``; ``TypeError`` for an unknown name."""
        with self._lock:
            self._environment = replace(self._environment, **changes)

    def add_project(self, project: Project) -> None:
        """Add or replace an AppProject."""
        with self._lock:
            self._projects[project.name] = project

    def remove_project(self, name: str) -> None:
        with self._lock:
            del self._projects[name]

    def add_application(self, message: Application, *, base_images: Iterable[str] = ()) -> ApplicationKey:
        """Add or replace an Application, and its project if that is missing.

        ``base_images`` are the references its manifests name before any override; ``reconcile`` starts from them.
        An empty namespace means the controller's.
        """
        copy = Application()
        copy.CopyFrom(message)
        with self._lock:
            copy.metadata.namespace = copy.metadata.namespace or self._environment.controller_namespace
            key = self._put(copy).key
            self._base_images[key] = tuple(base_images) or tuple(copy.status.summary.images)
            project = self._applications[key].project
            self._projects.setdefault(project, Project(project))
        return key

    def add_sample(self, sample: Sample) -> ApplicationKey:
        return self.add_application(sample.message, base_images=sample.base_images)

    def edit_application(self, key: Key, edit: Callable[[Application], object]) -> None:
        """Let a second writer change an Application in place; bumps its resourceVersion."""
        with self._lock:
            message = self._applications[self.key(key)].message()
            edit(message)
            self._put(message)

    def delete(self, key: Key) -> None:
        with self._lock:
            self._version += 1
            gone = stored(self._applications.pop(self.key(key)).message(), self._version)
            self._feed.publish(Event(EventType.DELETED, gone))

    def application(self, key: Key) -> Application:
        """A copy of an Application as it is now; ``KeyError`` when there is none."""
        with self._lock:
            return self._applications[self.key(key)].message()

    def reconcile(self, key: Key) -> None:
        """Be the controller: bring ``status.summary.images`` in line with the overrides in the spec."""
        base = self._base_images[self.key(key)]

        def follow(message: Application) -> None:
            images = live_images(message.spec, base)
            del message.status.summary.images[:]
            message.status.summary.images.extend(images)
            message.status.sync.status = "Synced"

        self.edit_application(key, follow)

    def key(self, key: Key) -> ApplicationKey:
        """The key that a text stands for."""
        if isinstance(key, ApplicationKey):
            return key
        namespace, _, name = key.rpartition("/")
        return ApplicationKey(namespace or self.environment.controller_namespace, name)

    def add_account(
        self, name: str, *, password: str = "", capabilities: Iterable[str] = (API_KEY,), is_enabled: bool = True
    ) -> None:
        """Add or replace a local account."""
        with self._lock:
            self._access.accounts[name] = Account(name, frozenset(capabilities), password, is_enabled)

    def remove_account(self, name: str) -> None:
        with self._lock:
            del self._access.accounts[name]

    def issue_token(self, account: str = DEFAULT_ACCOUNT, *, lifetime_s: int | None = None) -> str:
        """A new API key of an account."""
        with self._lock:
            return self._access.issue(f"{account}:{API_KEY}", lifetime_s=lifetime_s)

    def issue_login_token(self, account: str = DEFAULT_ACCOUNT, *, lifetime_s: int) -> str:
        """A session token as a password login gives it; the account needs the ``login`` capability."""
        with self._lock:
            return self._access.issue(f"{account}:login", lifetime_s=lifetime_s)

    def issue_project_token(self, project: str, role: str, *, lifetime_s: int | None = None) -> str:
        """A new token of a project's role; its rights are those of the subject ``proj:<project>:<role>``."""
        with self._lock:
            return self._access.issue(f"proj:{project}:{role}", lifetime_s=lifetime_s)

    def expire_token(self, token: str) -> None:
        with self._lock:
            self._access.expired.add(self._access.verify(token).token_id)

    def revoke(self, token: str) -> None:
        """Delete an API key or project token; end a login session."""
        with self._lock:
            self._access.revoke(token)

    def rotate_key(self) -> None:
        """Sign with a new key from now on, so that every earlier token has a bad signature."""
        with self._lock:
            self._access.key = secrets.token_bytes(32)

    def allow(self, subject: str, resource: str, action: str, target: str) -> None:
        """Add a policy line; subject ``*`` is everybody, ``*`` in the target pattern matches slashes too."""
        with self._lock:
            self._access.policies.append(Policy(subject, resource, action, target))

    def deny(self, subject: str, resource: str, action: str, target: str) -> None:
        """Add a policy line that wins over every ``allow``."""
        with self._lock:
            self._access.policies.append(Policy(subject, resource, action, target, is_deny=True))

    def clear_policies(self) -> None:
        """Take all rights away, the ones from the start included."""
        with self._lock:
            self._access.policies.clear()

    def reject_next(self, method: str, code: grpc.StatusCode, message: str) -> None:
        """Refuse the next call of a method, after authentication."""
        self.script.plan_refusal(method_path(method), Refusal(code, message))

    def before_next(self, method: str, callback: Callback) -> None:
        """Run something when the next call of a method arrives, before the server reads anything."""
        self.script.plan_callback(method_path(method), Moment.BEFORE, callback)

    def during_next(self, method: str, callback: Callback) -> None:
        """Run something between the read and the write of the next UpdateSpec or Patch."""
        self.script.plan_callback(method_path(method), Moment.DURING, callback)

    def after_next(self, method: str, callback: Callback) -> None:
        """Run something when the next call of a method has been carried out, before its answer leaves."""
        self.script.plan_callback(method_path(method), Moment.AFTER, callback)

    def conflict_next(self, method: str, times: int) -> None:
        """Let the next ``times`` write attempts of a method meet a conflict; ten in one call are its end."""
        self.script.plan_conflicts(method_path(method), times)

    def lose_next_answer(self, method: str) -> None:
        """Carry out the next call of a method, then cut the connection in place of an answer."""
        self.script.plan_lost_answer(method_path(method))

    def lose_next_event(self) -> None:
        """Deliver the next change to no watcher."""
        with self._lock:
            self._feed.lose_next()

    def end_watches(self, code: grpc.StatusCode | None = None, message: str = "") -> None:
        """End every open Watch: properly, or with a status after the events it has sent."""
        with self._lock:
            self._feed.end_all(None if code is None else Refusal(code, message))

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """Every decoded call so far, refused ones included."""
        return self.log.snapshot()

    def calls_of(self, method: str) -> tuple[CallRecord, ...]:
        path = method_path(method)
        return tuple(each for each in self.calls if each.path == path)

    def wait_for_calls(self, method: str, count: int, timeout_s: float) -> bool:
        """Wait until a method has been asked for at least ``count`` times; False when that did not happen in time."""
        path = method_path(method)
        return self.log.wait_for(lambda call: call.path == path, count, timeout_s)

    def wait_for_watchers(self, count: int, timeout_s: float) -> bool:
        """Wait until exactly ``count`` streams watch; False when that did not happen in time."""
        with self._watchers_changed:
            return self._watchers_changed.wait_for(lambda: self._feed.watchers == count, timeout_s)
