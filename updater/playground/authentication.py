"""The door of every call: who is it, and may the call go on (``argocd-api.md`` 5.1, 5.3, 5.4, 6.4).

The cookie that only the REST gateway fills is not looked at: no gRPC client sends it.
"""

from __future__ import annotations

import re

import grpc

from updater.playground.access import Caller
from updater.playground.methods import METHODS, Login
from updater.playground.refusals import Refusal, invalid_argument, unauthenticated
from updater.playground.script import Moment
from updater.playground.world import World

_BEARER = "Bearer "
_MINIMUM_CLIENT = (1, 4, 0)
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-.*)?$")


class Door:
    """Authentication and the client version check, then what the script plans for this call."""

    def __init__(self, world: World) -> None:
        self._world = world

    def enter(self, path: str, context: grpc.ServicerContext) -> Caller:
        """Who calls; a ``Refusal`` when the call ends here."""
        metadata = [(name, _text(value)) for name, value in context.invocation_metadata()]
        caller = self._authenticate(METHODS[path], metadata)
        self._renew(caller, context)
        _check_client_version(metadata)
        self._world.script.raise_planned(path)
        self._world.script.run(path, Moment.BEFORE)
        return caller

    def _authenticate(self, login: Login, metadata: list[tuple[str, str]]) -> Caller:
        if login is Login.NONE:
            return Caller()
        try:
            return Caller(self._world.verify(find_token(metadata)))
        except Refusal:
            # The anonymous trap: a bad token is not reported, the call goes on without rights of its own.
            if login is Login.OPTIONAL or self._world.environment.is_anonymous_enabled:
                return Caller()
            raise

    def _renew(self, caller: Caller, context: grpc.ServicerContext) -> None:
        successor = self._world.successor(caller.claims) if caller.claims is not None else None
        if successor is not None:
            context.send_initial_metadata((("renew-token", successor),))


def find_token(metadata: list[tuple[str, str]]) -> str:
    """The token as the server looks for it: ``token`` as it is, even empty, else a well-formed bearer value."""
    for name, value in metadata:
        if name == "token":
            return value
    for name, value in metadata:
        if name == "authorization" and value.startswith(_BEARER) and value.count(".") == 2:
            return value.removeprefix(_BEARER)
    raise unauthenticated("no session information")


def _check_client_version(metadata: list[tuple[str, str]]) -> None:
    agent = next((value for name, value in metadata if name == "user-agent"), "")
    for product in agent.split(" "):
        name, _, version = product.partition("/")
        if name != "argocd-client":
            continue
        match = _VERSION.match(version)
        if match is None:
            raise invalid_argument(f"could not parse version from user-agent: {agent}")
        if tuple(map(int, match.groups())) < _MINIMUM_CLIENT:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'unsatisfied client version constraint: client version "{version}" is below 1.4.0',
            )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
