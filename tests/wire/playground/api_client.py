"""Clients for both transports that share nothing with the updater's channel, and answers taken apart."""

from __future__ import annotations

import http.client
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from generated import (
    account_service_pb2,
    application_service_pb2,
    session_service_pb2,
    settings_service_pb2,
    version_service_pb2,
)
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.methods import method_path

CONTENT_TYPE = "application/grpc-web+proto"


class CallFailed(Exception):
    """A call that ended with another status than 0."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


@dataclass
class WebAnswer:
    """A gRPC-Web answer taken apart: HTTP status and headers, messages, and the trailers of the body."""

    http_status: int
    headers: Mapping[str, str]
    messages: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def status(self) -> tuple[int, str]:
        source = self.headers if "grpc-status" in self.headers else self.trailers
        return int(source["grpc-status"]), unquote(source.get("grpc-message", ""))


def take_apart(http_status: int, headers: list[tuple[str, str]], body: bytes) -> WebAnswer:
    answer = WebAnswer(http_status, {name.lower(): value for name, value in headers}, body=body)
    position = 0
    while position < len(body):
        flag, size = struct.unpack_from(">BI", body, position)
        payload = body[position + 5 : position + 5 + size]
        assert len(payload) == size
        position += 5 + size
        if flag == 0x80:
            for line in payload.decode().split("\r\n")[:-1]:
                name, _, value = line.partition(": ")
                answer.trailers[name] = value
        else:
            answer.messages.append(payload)
    return answer


def frame(message: Message | bytes) -> bytes:
    encoded = message if isinstance(message, bytes) else message.SerializeToString()
    return struct.pack(">BI", 0, len(encoded)) + encoded


def post(server: GrpcWebServer, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> WebAnswer:
    connection = http.client.HTTPConnection(server.address, timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": CONTENT_TYPE, **(headers or {})})
        response = connection.getresponse()
        return take_apart(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def answer_class(path: str) -> type[Message]:
    service, _, method = path.removeprefix("/").rpartition("/")
    for module in (
        application_service_pb2,
        version_service_pb2,
        session_service_pb2,
        account_service_pb2,
        settings_service_pb2,
    ):
        for found in module.DESCRIPTOR.services_by_name.values():
            if found.full_name == service:
                return GetMessageClass(found.methods_by_name[method].output_type)
    raise LookupError(path)


class Client(Protocol):
    """A unary call on either transport; raises CallFailed."""

    def call(self, method: str, request: Message, *, token: str | None = None, **metadata: str) -> Any: ...


@dataclass
class NativeClient:
    channel: grpc.Channel
    token: str

    def call(self, method: str, request: Message, *, token: str | None = None, **metadata: str) -> Any:
        path = method_path(method)
        invoke = self.channel.unary_unary(
            path, request_serializer=_encode_partial, response_deserializer=answer_class(path).FromString
        )
        try:
            return invoke(request, metadata=tuple(_metadata(self.token, token, metadata).items()), timeout=20)
        except grpc.RpcError as error:
            raise CallFailed(error.code(), error.details()) from None


@dataclass
class WebClient:
    server: GrpcWebServer
    token: str

    def call(self, method: str, request: Message, *, token: str | None = None, **metadata: str) -> Any:
        path = method_path(method)
        answer = post(self.server, path, frame(_encode_partial(request)), _metadata(self.token, token, metadata))
        assert answer.http_status == 200
        number, message = answer.status
        if number:
            raise CallFailed(next(each for each in grpc.StatusCode if each.value[0] == number), message)
        (encoded,) = answer.messages
        return answer_class(path).FromString(encoded)


def _encode_partial(request: Message) -> bytes:
    return request.SerializePartialToString()


def _metadata(default: str, token: str | None, more: Mapping[str, str]) -> dict[str, str]:
    chosen = {"token": default if token is None else token} if token != "absent" else {}
    return {**chosen, **{name.replace("_", "-"): value for name, value in more.items()}}
