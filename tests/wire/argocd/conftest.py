"""One world, both transports in front of it, and channels to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from updater.argocd.address import parse_address
from updater.argocd.client import READ_METHODS
from updater.argocd.nativechannel import native_channel
from updater.argocd.webcalls import WireOptions
from updater.argocd.webchannel import GrpcWebChannel
from updater.clock import SystemClock
from updater.playground.applications import all_samples
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.native_server import NativeServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.transport.http import HttpOptions, HttpTransport
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

WIRE_FIELDS = frozenset(WireOptions.__dataclass_fields__)


@pytest.fixture(scope="session")
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def world() -> World:
    """The three sample Applications, and the account "updater"."""
    result = World()
    for sample in all_samples():
        result.add_application(sample.message, base_images=sample.base_images)
    return result


@pytest.fixture
def token(world: World) -> str:
    return world.issue_token()


@pytest.fixture
def web(world: World) -> Iterator[GrpcWebServer]:
    with GrpcWebServer(world) as server:
        yield server


@pytest.fixture
def native(world: World) -> Iterator[NativeServer]:
    with NativeServer(world) as server:
        yield server


@pytest.fixture
def open_web(clock: SystemClock) -> Iterator[Callable[..., GrpcWebChannel]]:
    """``open_web(url, headers=..., tls=...)``: keywords are fields of ``WireOptions`` or ``HttpOptions``."""
    opened: list[GrpcWebChannel] = []

    def build(url: str, **fields: Any) -> GrpcWebChannel:
        wire = {name: fields.pop(name) for name in tuple(fields) if name in WIRE_FIELDS}
        options = WireOptions(parse_address(url), "tests/1", **wire)
        channel = GrpcWebChannel(HttpTransport(HttpOptions(**fields), clock), clock, options, READ_METHODS)
        opened.append(channel)
        return channel

    yield build
    for channel in opened:
        channel.close()


@pytest.fixture
def open_native(clock: SystemClock) -> Iterator[Callable[..., grpc.Channel]]:
    opened: list[grpc.Channel] = []

    def build(url: str, tls: TlsOptions | None = None, proxies: ProxyOptions | None = None) -> grpc.Channel:
        options = WireOptions(parse_address(url), "tests/1")
        channel = native_channel(options, tls or TlsOptions(), proxies or ProxyOptions(), clock, NullLog())
        opened.append(channel)
        return channel

    yield build
    for channel in opened:
        channel.close()


@pytest.fixture(params=["grpc-web", "grpc"])
def channel(request: pytest.FixtureRequest) -> grpc.Channel:
    """The same test on both channels."""
    if request.param == "grpc-web":
        made: grpc.Channel = request.getfixturevalue("open_web")(request.getfixturevalue("web").url)
        return made
    native = request.getfixturevalue("native")
    return request.getfixturevalue("open_native")(f"http://{native.address}")
