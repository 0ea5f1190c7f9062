"""Through a real nginx that ends TLS in front of the API server: what works, and what its own answers lead to."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from generated.application_messages_pb2 import ApplicationQuery
from generated.application_service_pb2_grpc import ApplicationServiceStub
from tests.ports import free_ports
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.overrides import ArgoCDOverrides, OverrideOptions
from updater.argocd.tokens import StaticToken
from updater.argocd.webcalls import WireOptions
from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import ArgoCDError, ArgoCDForeignAnswer, ArgoCDUnavailable, ArgoCDUnreachable
from updater.model.applications import ApplicationKey
from updater.model.changes import OverrideLists
from updater.playground.applications import helm_application
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.transport.trust import TlsOptions

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

BINARY = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
WAIT_S = 20.0
CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size {body_size};
    proxy_connect_timeout 60s;
    proxy_read_timeout 60s;
    proxy_send_timeout 60s;
    server {{
        listen 127.0.0.1:{tls_port} ssl;
        listen 127.0.0.1:{plain_port};
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        location /argo-cd/ {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class Nginx:
    """A running nginx with a port for TLS and one without."""

    def __init__(self, folder: Path, upstream: str, body_size: str) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        self.ca_file = str(folder / "ca.pem")
        self.tls_port, self.plain_port = free_ports(2)
        config = folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                folder=folder,
                upstream=upstream,
                body_size=body_size,
                tls_port=self.tls_port,
                plain_port=self.plain_port,
            ),
            encoding="ascii",
        )
        self._process = subprocess.Popen(
            [BINARY, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)],
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        """Its own end is the only thing to wait for; in between, a connection is tried."""
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.plain_port), WAIT_S).close()
            except ConnectionRefusedError:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    pytest.fail(f"nginx ended with {self._process.wait(0.02)}")
            else:
                return
        pytest.fail("nginx does not listen")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(WAIT_S)


@pytest.fixture
def api(world: World) -> Iterator[GrpcWebServer]:
    with GrpcWebServer(world, root_path="argo-cd") as server:
        yield server


@pytest.fixture
def start(api: GrpcWebServer, tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    if not BINARY:
        reason = "the Debian package nginx-light is not installed"
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    running: list[Nginx] = []

    def run(*, body_size: str = "1m") -> Nginx:
        nginx = Nginx(tmp_path, api.address, body_size)
        running.append(nginx)
        return nginx

    yield run
    for nginx in running:
        nginx.close()


@pytest.fixture
def client_of(token: str, clock: SystemClock) -> Iterator[Callable[..., ArgoCDClient]]:
    made: list[ArgoCDClient] = []

    def build(url: str, ca_file: str = "") -> ArgoCDClient:
        options = ConnectionOptions(WireOptions(parse_address(url), "tests/1"), tls=TlsOptions(ca_file=ca_file))
        facts = ClientOptions(url, read_backoff=Backoff(attempts=1, base_s=0.0, cap_s=0.0))
        client = connect(options, facts, StaticToken(token, "test"), clock, NullLog())
        made.append(client)
        return client

    yield build
    for client in made:
        client.close()


@pytest.fixture
def deadline(clock: SystemClock) -> Deadline:
    return Deadline.after(clock, WAIT_S)


Start = Callable[..., Nginx]
ClientOf = Callable[..., ArgoCDClient]


def good_url(nginx: Nginx) -> str:
    return f"https://127.0.0.1:{nginx.tls_port}/argo-cd"


def error_of(client: ArgoCDClient, deadline: Deadline) -> ArgoCDError:
    with pytest.raises(ArgoCDError) as caught:
        client.fetch_version(deadline)
    text = str(caught.value)
    assert text.startswith("asking for the version at ")
    assert "\n" not in text
    return caught.value


def test_list_and_update_spec_pass_nginx(
    start: Start, client_of: ClientOf, world: World, api: GrpcWebServer, deadline: Deadline
) -> None:
    nginx = start()
    client = client_of(good_url(nginx), nginx.ca_file)
    assert len(ArgoCDFleet(client, FleetOptions()).fetch_applications(deadline)) == 3
    store = ArgoCDOverrides(client, OverrideOptions(), NullLog())
    fresh = store.fetch_fresh(ApplicationKey("argocd", "shop-api"), "default", deadline)
    before = OverrideLists(0, kustomize_images=fresh.snapshot.sources[0].kustomize_images)
    after = OverrideLists(0, kustomize_images=("registry.example.com/shop/api:1.0.1",))
    assert store.store_overrides(fresh, before, after, deadline) == after
    assert list(world.application("shop-api").spec.source.kustomize.images) == ["registry.example.com/shop/api:1.0.1"]


def test_watch_passes_nginx_event_by_event(
    start: Start, open_web: Callable[..., grpc.Channel], world: World, token: str
) -> None:
    nginx = start()
    channel = open_web(good_url(nginx), tls=TlsOptions(ca_file=nginx.ca_file))
    stub: Any = ApplicationServiceStub(channel)
    stream = stub.Watch(ApplicationQuery(), metadata=(("token", token),), timeout=WAIT_S)
    for _ in range(3):
        next(stream)
    world.add_sample(helm_application("late"))
    assert next(stream).application.metadata.name == "late"
    stream.cancel()
    assert world.wait_for_watchers(0, WAIT_S)


def test_a_missing_path_prefix_is_named(start: Start, client_of: ClientOf, deadline: Deadline) -> None:
    nginx = start()
    error = error_of(client_of(f"https://127.0.0.1:{nginx.tls_port}", nginx.ca_file), deadline)
    assert isinstance(error, ArgoCDForeignAnswer)
    assert "HTTP status 404" in str(error)
    assert "nginx" in str(error)
    assert "--argocd-grpc-web-root-path" in error.hint


def test_plain_http_to_the_tls_port_is_named(start: Start, client_of: ClientOf, deadline: Deadline) -> None:
    nginx = start()
    error = error_of(client_of(f"http://127.0.0.1:{nginx.tls_port}/argo-cd"), deadline)
    assert isinstance(error, ArgoCDForeignAnswer)
    assert "The plain HTTP request was sent to HTTPS port" in str(error)
    assert "this port speaks TLS: drop --argocd-plaintext" in error.hint


def test_tls_to_the_plain_port_is_named(start: Start, client_of: ClientOf, deadline: Deadline) -> None:
    nginx = start()
    error = error_of(client_of(f"https://127.0.0.1:{nginx.plain_port}/argo-cd", nginx.ca_file), deadline)
    assert isinstance(error, ArgoCDUnreachable)
    assert not error.retryable
    assert "the TLS handshake failed" in str(error)
    assert "add --argocd-plaintext" in error.hint


def test_an_unknown_authority_is_named(start: Start, client_of: ClientOf, deadline: Deadline) -> None:
    error = error_of(client_of(good_url(start())), deadline)
    assert isinstance(error, ArgoCDUnreachable)
    assert "certificate" in str(error)
    assert "--argocd-server-crt" in error.hint


def test_an_api_server_that_is_gone_is_unavailable(
    start: Start, client_of: ClientOf, api: GrpcWebServer, deadline: Deadline
) -> None:
    nginx = start()
    client = client_of(good_url(nginx), nginx.ca_file)
    client.fetch_version(deadline)
    api.close()
    error = error_of(client, deadline)
    assert isinstance(error, ArgoCDUnavailable)
    assert "HTTP status 502" in str(error)
    assert "the proxy cannot talk to argocd-server" in error.hint


def test_a_body_over_nginxs_limit_is_named(start: Start, client_of: ClientOf, world: World, deadline: Deadline) -> None:
    nginx = start(body_size="300")
    store = ArgoCDOverrides(client_of(good_url(nginx), nginx.ca_file), OverrideOptions(), NullLog())
    fresh = store.fetch_fresh(ApplicationKey("argocd", "shop-api"), "default", deadline)
    before = OverrideLists(0, kustomize_images=fresh.snapshot.sources[0].kustomize_images)
    after = OverrideLists(0, kustomize_images=("x" * 1000,))
    with pytest.raises(ArgoCDForeignAnswer, match="HTTP status 413") as caught:
        store.store_overrides(fresh, before, after, deadline)
    assert "raise the proxy's limit for request bodies" in caught.value.hint
    assert "updating Application argocd/shop-api" in caught.value.where


def test_nginx_speaks_http_1_1_alone_here(start: Start) -> None:
    """What makes it unfit for native gRPC, and fit for gRPC-Web."""
    nginx = start()
    context = ssl.create_default_context(cafile=nginx.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", nginx.tls_port), WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.selected_alpn_protocol() == "http/1.1"
