"""Native gRPC over TLS: a server that is away, comes, and comes back with another certificate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from transport.raw_peers import RawServer, proxy

from generated.application_messages_pb2 import ApplicationQuery, ApplicationUpdateSpecRequest
from generated.application_service_pb2_grpc import ApplicationServiceStub
from tests.ports import free_port
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.nativechannel import native_channel
from updater.argocd.pins import LEAST_GAP_S
from updater.argocd.tokens import StaticToken
from updater.argocd.webcalls import WireOptions
from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import ArgoCDUnavailable, ArgoCDUnreachable
from updater.playground.applications import all_samples
from updater.playground.native_server import NativeServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.transport.proxies import ProxyOptions
from updater.transport.trust import TlsOptions

pytestmark = pytest.mark.wire

WAIT_S = 20.0
FAR = "99999999"
INSECURE = TlsOptions(insecure=True)


class HurriedClock(SystemClock):
    """The real clock, which a test can put forward."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


class Warnings(NullLog):
    """The names of warnings."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def warning(self, event: str, /, **_: Any) -> None:
        self.events.append(event)


class Site:
    """One port, at which servers with different certificates come and go; a client of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.clock = HurriedClock()
        self.log = Warnings()
        self.server: NativeServer | None = None
        self._stack = ExitStack()

    def come(
        self,
        *names: str,
        issuer: trustme.CA | None = None,
        wants: trustme.CA | None = None,
        until: datetime | None = None,
    ) -> NativeServer:
        """A server with a certificate that nobody has seen before; it ``wants`` its clients to have one as well."""
        known_as = names or ("argocd.example.com", "127.0.0.1")
        issued = (issuer or trustme.CA()).issue_cert(*known_as, not_after=until)
        pair = (issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())
        roots = None if wants is None else wants.cert_pem.bytes()
        credentials = grpc.ssl_server_credentials([pair], roots, require_client_auth=wants is not None)
        self.server = NativeServer(self.world, credentials=credentials, port=self.port)
        self._stack.callback(self.server.close)
        return self.server

    def go(self) -> None:
        assert self.server is not None
        self.server.close()

    def client(self, proxies: ProxyOptions | None = None, tls: TlsOptions = INSECURE) -> ArgoCDClient:
        wire = WireOptions(parse_address(self.url), "tests/1")
        options = ConnectionOptions(wire, use_grpc_web=False, tls=tls, proxies=proxies or ProxyOptions())
        once = ClientOptions(self.url, read_backoff=Backoff(attempts=1, base_s=0.0, cap_s=0.0))
        client = connect(options, once, StaticToken(self.world.issue_token(), "tests"), self.clock, self.log)
        self._stack.callback(client.close)
        return client

    def version(self, client: ArgoCDClient) -> str:
        return client.fetch_version(Deadline.after(self.clock, WAIT_S)).Version

    def notice(self, client: ArgoCDClient) -> None:
        """The end of a connection is met by a call that was on its way over it, if nobody looked before."""
        with suppress(ArgoCDUnavailable):
            self.version(client)
        assert self.version(client) == self.world.environment.version

    def later(self) -> None:
        """Long enough after the last look at the certificate for another one."""
        self.clock.ahead_s += LEAST_GAP_S

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    made = Site(world)
    yield made
    made.close()


def test_a_server_that_is_away_at_the_start_comes_and_comes_back_with_another_certificate(site: Site) -> None:
    client = site.client()
    with pytest.raises(ArgoCDUnreachable, match="refused"):
        site.version(client)
    site.come()
    site.later()
    expected = site.world.environment.version
    assert site.version(client) == expected
    for number in range(1, 3):
        site.go()
        with pytest.raises((ArgoCDUnreachable, ArgoCDUnavailable)):
            site.version(client)
        site.come()
        site.later()
        assert site.version(client) == expected
        assert site.log.events.count("argocd_certificate_changed") == number
    assert site.log.events[0] == "argocd_certificate_unverified"


def test_a_write_over_the_channel_that_follows_is_carried_out_once(site: Site) -> None:
    client = site.client()
    site.come()
    site.version(client)
    site.go()
    site.come()
    site.later()
    site.notice(client)
    meant = all_samples()[0].message
    facts = {"name": meant.metadata.name, "appNamespace": meant.metadata.namespace, "validate": False}
    client.update_spec(ApplicationUpdateSpecRequest(spec=meant.spec, **facts), Deadline.after(site.clock, WAIT_S))
    assert len(site.world.calls_of("UpdateSpec")) == 1


def test_a_new_authority_is_trusted_once_its_file_says_so(site: Site, tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ca.pem"
    first.cert_pem.write_to_path(str(ca_file))
    site.come(issuer=first)
    client = site.client(tls=TlsOptions(ca_file=str(ca_file)))
    assert site.version(client) == site.world.environment.version
    site.go()
    site.come(issuer=second)
    site.later()
    with suppress(ArgoCDUnavailable, ArgoCDUnreachable):
        site.version(client)
    with pytest.raises(ArgoCDUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        site.version(client)
    second.cert_pem.write_to_path(str(ca_file))
    site.later()
    assert site.version(client) == site.world.environment.version
    assert site.log.events == ["argocd_trust_renewed"]


@pytest.mark.parametrize("is_verified", [True, False])
def test_our_own_certificate_is_read_again_when_the_server_refuses_it(
    site: Site, tmp_path: Path, *, is_verified: bool
) -> None:
    servers, clients = trustme.CA(), trustme.CA()
    servers.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    key, certificate = tmp_path / "key.pem", tmp_path / "crt.pem"

    def issue(authority: trustme.CA) -> None:
        mine = authority.issue_cert("updater")
        mine.private_key_pem.write_to_path(str(key))
        mine.cert_chain_pems[0].write_to_path(str(certificate))

    issue(trustme.CA())
    site.come(issuer=servers, wants=clients)
    trust = {"ca_file": str(tmp_path / "ca.pem")} if is_verified else {"insecure": True}
    client = site.client(tls=TlsOptions(client_cert=str(certificate), client_key=str(key), **trust))
    with pytest.raises((ArgoCDUnreachable, ArgoCDUnavailable)):
        site.version(client)
    issue(clients)
    site.later()
    site.notice(client)


def test_a_watch_ends_with_its_server_and_the_next_one_sees_the_new_certificate(site: Site) -> None:
    client = site.client()
    for _ in range(2):
        server = site.come()
        site.later()
        opened = client.open_watch(ApplicationQuery(resourceVersion=FAR))
        ended = _drain(opened.call)
        assert site.world.wait_for_watchers(1, timeout_s=WAIT_S)
        server.close()
        ended.join(WAIT_S)
        assert not ended.is_alive()
        assert opened.call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    assert site.log.events.count("argocd_certificate_changed") == 1


def test_a_watch_goes_on_at_a_server_that_ends_in_peace_while_new_calls_see_its_successor(site: Site) -> None:
    client = site.client()
    old = site.come()
    opened = client.open_watch(ApplicationQuery(resourceVersion=FAR))
    ended = _drain(opened.call)
    assert site.world.wait_for_watchers(1, timeout_s=WAIT_S)
    old.retire(grace_s=WAIT_S)
    site.come()
    site.later()
    site.notice(client)
    assert "argocd_certificate_changed" in site.log.events
    assert ended.is_alive()
    assert opened.call.cancel()
    ended.join(WAIT_S)
    assert opened.call.code() is grpc.StatusCode.CANCELLED


def test_a_watch_can_be_cancelled_while_nobody_shows_a_certificate(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        client = site.client()
        opened = client.open_watch(ApplicationQuery(resourceVersion=FAR))
        ended = _drain(opened.call)
        assert opened.call.cancel()
        client.close()
        ended.join(WAIT_S)
        assert not ended.is_alive()
    assert opened.call.code() is grpc.StatusCode.CANCELLED


def test_many_calls_look_at_a_server_that_is_away_but_once(site: Site) -> None:
    seen: list[int] = []

    def hang_up(connection: socket.socket, server: RawServer) -> None:
        seen.append(connection.fileno())

    with RawServer(hang_up) as server:
        site.url = f"https://127.0.0.1:{server.port}"
        client = site.client()

        def ask(_: int) -> None:
            with pytest.raises(ArgoCDUnreachable):
                site.version(client)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(40)))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("127.0.0.1",), id="address"),
        pytest.param(("argocd.example.com",), id="another name"),
        pytest.param(("*.example.com", "other.test"), id="wildcard"),
    ],
)
def test_a_certificate_may_have_any_names(site: Site, names: tuple[str, ...]) -> None:
    site.come(*names)
    assert site.version(site.client()) == site.world.environment.version


def test_a_certificate_that_has_expired_is_named_with_the_way_out(site: Site) -> None:
    site.come(until=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(ArgoCDUnreachable, match="has expired") as caught:
        site.version(site.client())
    assert "--argocd-grpc-web takes it" in caught.value.hint


def test_the_certificate_is_fetched_through_the_proxy_of_the_channel(site: Site) -> None:
    server = site.come()
    with RawServer(proxy) as between:
        client = site.client(ProxyOptions(https=f"http://bot:p%40ss@127.0.0.1:{between.port}"))
        assert site.version(client) == site.world.environment.version
        client.close()
        assert len(between.requests) == 2
        for request in between.requests:
            assert request.startswith(f"CONNECT {server.address} ".encode())
            assert b"Ym90OnBAc3M=" in request


def test_the_channel_speaks_the_interface_of_the_library(site: Site) -> None:
    site.come()
    options = WireOptions(parse_address(site.url), "tests/1", headers=(("X-Team", "shop"),))
    heard: list[grpc.ChannelConnectivity] = []
    with native_channel(options, INSECURE, ProxyOptions(), site.clock, site.log) as channel:
        channel.subscribe(heard.append)
        stub = ApplicationServiceStub(channel)
        metadata = (("token", site.world.issue_token()),)
        answer, call = stub.List.with_call(ApplicationQuery(), timeout=WAIT_S, metadata=metadata)
        assert (len(answer.items), call.code()) == (3, grpc.StatusCode.OK)
        assert len(stub.List.future(ApplicationQuery(), timeout=WAIT_S, metadata=metadata).result(WAIT_S).items) == 3
        stream = stub.Watch(ApplicationQuery(), timeout=WAIT_S, metadata=metadata)
        assert (stream.is_active(), stream.time_remaining()) == (True, WAIT_S)
        assert next(stream).application.metadata.name
        assert stream.cancel()
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
        with pytest.raises(grpc.RpcError):
            next(stream)
        assert caught.value.code() is grpc.StatusCode.CANCELLED
        refuse = channel.stream_stream("/some.Service/Method")
        with pytest.raises(grpc.RpcError, match="no client streaming"):
            refuse(iter(()))
    assert heard == [grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.SHUTDOWN]
    with pytest.raises(grpc.RpcError, match="closed"):
        stub.List(ApplicationQuery(), timeout=WAIT_S)


def test_a_call_waits_for_the_certificate_no_longer_than_it_may(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        client = site.client()
        with pytest.raises(Exception, match="before the handshake") as caught:
            client.fetch_version(Deadline.after(site.clock, 0.2))
    assert caught.value.code == "argocd_timeout"  # type: ignore[attr-defined]  # of our tree


def _drain(call: Any) -> threading.Thread:
    """Reads to the end, in a thread of its own."""

    def read() -> None:
        try:
            for _ in call:
                pass
        except grpc.RpcError:
            return

    thread = threading.Thread(target=read, name="reader")
    thread.start()
    return thread
