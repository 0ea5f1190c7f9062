"""Native gRPC: the API server away at the start, away for ten minutes, back with a new certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import grpc
import pytest
import trustme
from fault_site import MOST_THREADS, Site

from updater.playground.native_server import NativeServer

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

NAMES = [f"app-{number}" for number in range(6)]
TEN_MINUTES_S = 600.0

Serve = Callable[[], NativeServer]


@pytest.fixture
def serve(site: Site) -> Iterator[Serve]:
    """Serves the API at the address of the site, each time with a certificate that nobody has seen before."""
    with ExitStack() as stack:

        def begin() -> NativeServer:
            issued = trustme.CA().issue_cert("argocd.example.com")
            pair = (issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())
            server = NativeServer(site.world, credentials=grpc.ssl_server_credentials([pair]), port=site.port)
            stack.callback(server.close)
            return server

        yield begin


@pytest.mark.parametrize("mode", ["continuous", "cycle"])
def test_a_server_that_is_not_verified_may_be_away_at_start_and_for_ten_minutes_and_change(
    site: Site, serve: Serve, mode: str
) -> None:
    site.add(NAMES)
    connection = {"is_grpc_web": False, "is_insecure": True}
    site.start(f"https://127.0.0.1:{site.port}", connection=connection, is_warmed_up=True, mode=mode)
    site.wait_for_records("fleet_unreadable")
    server = serve()
    site.wait_until(lambda: _is_read(site, mode), "nobody was looked at")

    away_s = site.clock.elapsed_s
    server.close()
    site.release(NAMES, "1.0.1")
    site.pass_time(TEN_MINUTES_S)
    assert site.most_in_a_minute(away_s) <= 2
    assert len(site.threads()) <= MOST_THREADS, site.threads()

    serve()
    site.wait_for_tags(NAMES, "1.0.1")
    if mode == "continuous":
        assert site.world.wait_for_watchers(1, 20)
    changes = [each for each in site.log.records if each.event == "argocd_certificate_changed"]
    assert len(changes) == 1
    assert not [each for each in site.log.records if each.event == "bug_found"]


def _is_read(site: Site, mode: str) -> bool:
    if mode == "cycle":
        return any(each.event == "cycle_finished" for each in tuple(site.log.records))
    return set(site.attempts()) == set(NAMES)
