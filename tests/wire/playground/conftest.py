"""Both servers over one world."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from api_client import Client, NativeClient, WebClient

from updater.playground.applications import all_samples
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.methods import METHODS
from updater.playground.native_server import NativeServer
from updater.playground.world import World


@pytest.fixture
def world() -> World:
    """The three sample Applications, and the account "updater"."""
    result = World()
    for sample in all_samples():
        result.add_sample(sample)
    return result


@pytest.fixture
def token(world: World) -> str:
    return world.issue_token()


@pytest.fixture
def web(world: World) -> Iterator[GrpcWebServer]:
    with GrpcWebServer(world) as server:
        yield server


@pytest.fixture
def channel(world: World) -> Iterator[grpc.Channel]:
    with NativeServer(world) as server, grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.fixture(params=["grpc", "grpc-web"])
def client(request: pytest.FixtureRequest, token: str) -> Client:
    """The same test over both transports."""
    if request.param == "grpc":
        return NativeClient(request.getfixturevalue("channel"), token)
    return WebClient(request.getfixturevalue("web"), token)


@pytest.fixture(params=sorted(METHODS))
def any_path(request: pytest.FixtureRequest) -> str:
    path: str = request.param
    return path
