"""One world with both transports in front of it, and a client on each."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from updater.argocd.address import parse_address
from updater.argocd.client import READ_METHODS, ArgoCDClient, ClientOptions
from updater.argocd.nativechannel import native_channel
from updater.argocd.tokens import StaticToken
from updater.argocd.webcalls import WireOptions
from updater.argocd.webchannel import GrpcWebChannel
from updater.clock import Backoff, SystemClock
from updater.playground.applications import all_samples
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.transport.http import HttpOptions, HttpTransport
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions


@pytest.fixture
def world() -> World:
    result = World()
    for sample in all_samples():
        result.add_sample(sample)
    return result


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    made = SystemClock()
    yield made
    made.stop()


@pytest.fixture
def web(world: World) -> Iterator[GrpcWebServer]:
    with GrpcWebServer(world) as server:
        yield server


@pytest.fixture
def native(world: World) -> Iterator[NativeServer]:
    with NativeServer(world) as server:
        yield server


@pytest.fixture
def web_client(world: World, web: GrpcWebServer, clock: SystemClock) -> Iterator[ArgoCDClient]:
    options = WireOptions(parse_address(web.url), "tests/1")
    channel = GrpcWebChannel(HttpTransport(HttpOptions(), clock), clock, options, READ_METHODS)
    made = client_on(channel, world, clock)
    yield made
    made.close()


@pytest.fixture(params=["grpc-web", "grpc"])
def client(request: pytest.FixtureRequest, world: World, clock: SystemClock) -> Iterator[ArgoCDClient]:
    """The same test on both channels."""
    if request.param == "grpc-web":
        yield request.getfixturevalue("web_client")
        return
    address = request.getfixturevalue("native").address
    options = WireOptions(parse_address(f"http://{address}"), "tests/1")
    made = client_on(native_channel(options, TlsOptions(), ProxyOptions(), clock, NullLog()), world, clock)
    yield made
    made.close()


def client_on(channel: grpc.Channel, world: World, clock: SystemClock) -> ArgoCDClient:
    options = ClientOptions("tests", read_backoff=Backoff(attempts=1, base_s=0.01, cap_s=0.01))
    return ArgoCDClient(channel, StaticToken(world.issue_token(), "tests"), options, clock, NullLog())
