"""From a path and bytes to bytes: the part of a call that is the same on both transports.

Decodes (a missing required field ends the call before anybody asks for a token), logs, calls the servicer, encodes
as the server does, and turns a ``Refusal`` into the status of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Never, Protocol, TypeAlias, cast, runtime_checkable

import grpc
from google.protobuf.message import DecodeError, Message

from generated.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from generated.application_service_pb2_grpc import add_ApplicationServiceServicer_to_server
from generated.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from generated.settings_service_pb2_grpc import add_SettingsServiceServicer_to_server
from generated.version_service_pb2_grpc import add_VersionServiceServicer_to_server
from updater.playground.call_log import CallRecord, shown
from updater.playground.presence import fill_as_server
from updater.playground.refusals import ConnectionLost, Refusal
from updater.playground.script import Moment
from updater.playground.services import Accounts, Applications, Sessions, Settings, Versions
from updater.playground.world import World

# Quoted: at run time grpcio's class is not generic.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

# The generated functions have no annotations.
_SERVICES: tuple[tuple[Callable[[Any, Any], None], Callable[[World], object]], ...] = (
    (add_ApplicationServiceServicer_to_server, Applications),
    (add_VersionServiceServicer_to_server, Versions),
    (add_SessionServiceServicer_to_server, Sessions),
    (add_AccountServiceServicer_to_server, Accounts),
    (add_SettingsServiceServicer_to_server, Settings),
)


@runtime_checkable
class Severable(Protocol):
    """A call whose connection can be cut in place of an answer."""

    def sever(self) -> Never: ...


class Routes:
    """All methods by path, as handlers from bytes to bytes, for one transport of one world.

    The generated code registers the servicers here as it would on a server.
    """

    def __init__(self, world: World, transport: str) -> None:
        self._world = world
        self._transport = transport
        self._handlers: dict[str, Handler] = {}
        for register, servicer in _SERVICES:
            register(servicer(world), self)

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Called by the generated code; the same methods arrive by name in the next call."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Called by the generated code, once per service."""
        for name, handler in handlers.items():
            path = f"/{service}/{name}"
            self._handlers[path] = (
                self._streaming(path, handler) if handler.unary_stream else self._unary(path, handler)
            )

    def find(self, path: str) -> Handler:
        """The handler of a path; for an unknown one, a handler that says so."""
        return self._handlers.get(path) or _unimplemented(path, {each.split("/")[1] for each in self._handlers})

    def _unary(self, path: str, handler: Handler) -> Handler:
        def answer(encoded: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                message = _behaviour(handler.unary_unary)(self._request(path, handler, encoded, context), context)
                self._world.script.run(path, Moment.AFTER)
                self._world.script.raise_if_lost(path)
                return self._encode(message)
            except Refusal as refusal:
                context.abort(refusal.code, refusal.message)
            except ConnectionLost:
                _sever(context)

        return grpc.unary_unary_rpc_method_handler(answer)

    def _streaming(self, path: str, handler: Handler) -> Handler:
        def answer(encoded: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            try:
                request = self._request(path, handler, encoded, context)
                for message in _behaviour(handler.unary_stream)(request, context):
                    self._world.script.raise_if_lost(path)
                    yield self._encode(message)
            except Refusal as refusal:
                context.abort(refusal.code, refusal.message)
            except ConnectionLost:
                _sever(context)

        return grpc.unary_stream_rpc_method_handler(answer)

    def _request(self, path: str, handler: Handler, encoded: bytes, context: grpc.ServicerContext) -> Message:
        self._check_size("received", encoded)
        request = _decode(handler, encoded)
        metadata = shown(context.invocation_metadata())
        self._world.log.add(CallRecord(path, request, metadata, self._transport))
        return request

    def _encode(self, answer: Message | bytes) -> bytes:
        if not isinstance(answer, bytes):
            fill_as_server(answer)
            answer = answer.SerializeToString()
        self._check_size("trying to send", answer)
        return answer

    def _check_size(self, verb: str, encoded: bytes) -> None:
        limit = self._world.environment.max_message_bytes
        if len(encoded) > limit:
            message = f"grpc: {verb} message larger than max ({len(encoded)} vs. {limit})"
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, message)


def _behaviour(function: Callable[..., Any] | None) -> Callable[..., Any]:
    if function is None:
        raise TypeError("the generated code registered a method of another shape")
    return function


def _decode(handler: Handler, encoded: bytes) -> Message:
    try:
        request: Message = _behaviour(handler.request_deserializer)(encoded)
    except DecodeError as error:
        raise _undecodable(str(error)) from error
    # Every generated message has it; the stub of the base class leaves it out.
    missing: list[str] = cast("Any", request).FindInitializationErrors()
    if missing:
        raise _undecodable(f'proto: required field "{missing[0].rpartition(".")[2]}" not set')
    return request


def _undecodable(reason: str) -> Refusal:
    return Refusal(grpc.StatusCode.INTERNAL, f"grpc: error unmarshalling request: {reason}")


def _sever(context: grpc.ServicerContext) -> Never:
    if isinstance(context, Severable):
        context.sever()
    # grpcio offers no way to cut a connection from within a call; its clients see a cut one as this status.
    context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was lost")


def _unimplemented(path: str, services: set[str]) -> Handler:
    service, _, method = path.removeprefix("/").rpartition("/")
    what = f"unknown method {method} for service {service}" if service in services else f"unknown service {service}"

    def refuse(encoded: bytes, context: grpc.ServicerContext) -> bytes:  # noqa: ARG001 - gRPC's shape
        context.abort(grpc.StatusCode.UNIMPLEMENTED, what)

    return grpc.unary_unary_rpc_method_handler(refuse)
