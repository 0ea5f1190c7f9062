"""The gRPC-Web server understood by a client that shares no code with it: connectrpc's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import answer_class
from connectrpc.client import ConnectClientSync
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.protocol import ProtocolType
from google.protobuf.empty_pb2 import Empty

from generated.application_messages_pb2 import ApplicationQuery, ApplicationUpdateSpecRequest
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.methods import method_path
from updater.playground.world import World

pytestmark = pytest.mark.wire


@pytest.fixture
def foreign(web: GrpcWebServer) -> Iterator[ConnectClientSync]:
    with ConnectClientSync(
        web.url,
        codec=google_protobuf_binary_codec(),
        protocol=ProtocolType.GRPC_WEB,
        accept_compression=(),
        send_compression=None,
        timeout_ms=20_000,
    ) as opened:
        yield opened


def info(name: str, kind: type, *, is_stream: bool = False) -> MethodInfo[Any, Any]:
    path = method_path(name)
    service, _, method = path.removeprefix("/").rpartition("/")
    return MethodInfo(
        name=method,
        service_name=service,
        input=kind,
        output=answer_class(path),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM if is_stream else StreamType.UNARY,
    )


def test_version_needs_no_token(foreign: ConnectClientSync) -> None:
    assert foreign.execute_unary(request=Empty(), method=info("Version", Empty)).Version == "v3.5.1"


def test_list_with_a_token(foreign: ConnectClientSync, token: str) -> None:
    method = info("List", ApplicationQuery)
    answer = foreign.execute_unary(request=ApplicationQuery(), method=method, headers={"token": token})
    assert [each.metadata.name for each in answer.items] == ["shop-all", "shop-api", "shop-web"]


def test_an_error_in_headers(foreign: ConnectClientSync) -> None:
    with pytest.raises(ConnectError, match="no session information") as caught:
        foreign.execute_unary(request=ApplicationQuery(), method=info("List", ApplicationQuery))
    assert caught.value.code is Code.UNAUTHENTICATED


def test_an_error_in_the_body(web: GrpcWebServer, foreign: ConnectClientSync, token: str) -> None:
    web.faults.early_headers()
    query = ApplicationQuery(name="gone", projects=["default"])
    with pytest.raises(ConnectError, match='"gone" not found') as caught:
        foreign.execute_unary(request=query, method=info("Get", ApplicationQuery), headers={"token": token})
    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_frames_in_any_chunks(web: GrpcWebServer, foreign: ConnectClientSync, token: str, size: int) -> None:
    web.faults.chunk_size(size)
    query = ApplicationQuery(name="shop-web")
    answer = foreign.execute_unary(request=query, method=info("Get", ApplicationQuery), headers={"token": token})
    assert answer.metadata.name == "shop-web"


def test_an_update(foreign: ConnectClientSync, world: World, token: str) -> None:
    spec = world.application("shop-api").spec
    spec.source.kustomize.images[0] = "registry.example.com/shop/api:1.0.3"
    request = ApplicationUpdateSpecRequest(name="shop-api", spec=spec, validate=False, project="default")
    foreign.execute_unary(
        request=request, method=info("UpdateSpec", ApplicationUpdateSpecRequest), headers={"token": token}
    )
    assert list(world.application("shop-api").spec.source.kustomize.images) == ["registry.example.com/shop/api:1.0.3"]


def test_a_watch(foreign: ConnectClientSync, world: World, token: str) -> None:
    events = foreign.execute_server_stream(
        request=ApplicationQuery(), method=info("Watch", ApplicationQuery, is_stream=True), headers={"token": token}
    )
    assert [next(events).application.metadata.name for _ in range(3)] == ["shop-all", "shop-api", "shop-web"]
    world.delete("shop-api")
    assert next(events).type == "DELETED"
