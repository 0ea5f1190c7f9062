"""The listeners as the command line shows them: where they listen, and what happens when they cannot."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.ports import free_port, free_ports
from updater.playground.showcase import Showcase

pytestmark = pytest.mark.wire


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.create_server(("", 0))) as server:
        yield server.getsockname()[1]


NONE = ("--health-port=0", "--metrics-port=0", "--status-addr=")


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        pytest.param("--health-port={}", "--health-port: cannot listen on :{}", id="health"),
        pytest.param("--metrics-port={}", "--metrics-port: cannot listen on :{}", id="metrics"),
        pytest.param("--status-addr=127.0.0.1:{}", "--status-addr: cannot listen on 127.0.0.1:{}", id="status"),
    ],
)
def test_a_port_that_is_taken_ends_the_start_before_anything_is_sent(
    command: Command, shop: Showcase, taken: int, flag: str, shown: str
) -> None:
    sent = len(shop.web.requests)
    outcome = command("run", "--interval=0", *NONE, flag.format(taken))
    assert outcome.status == 1
    (line,) = outcome.err.splitlines()
    assert shown.format(taken) in line
    assert "choose another port, or --" in line
    assert "code=port_in_use" in line
    assert len(shop.web.requests) == sent


def test_the_ports_are_announced(command: Command) -> None:
    health, metrics, status = free_ports(3)
    ports = (f"--health-port={health}", f"--metrics-port={metrics}", f"--status-addr=127.0.0.1:{status}")
    outcome = command("run", "--interval=0", "--dry-run", *ports)
    assert outcome.status == 0
    for text in (
        f"healthport:{health}]",
        f"health_port={health} metrics_port={metrics}",
        f"Starting health probe server TCP port={health}",
        f"Starting metrics server on TCP port={metrics}",
        f"Starting status server on port {status}",
    ):
        assert text in outcome.out


def test_once_has_no_health_server_and_no_status_page(command: Command) -> None:
    outcome = command("run", "--once", "--dry-run", "--metrics-port=0", "--status-addr=127.0.0.1:1")
    assert outcome.status == 0
    assert "healthport:off]" in outcome.out
    assert "health_port=off metrics_port=off" in outcome.out
    assert "server on" not in outcome.out


@pytest.mark.parametrize("address", ["8092", "localhost", "h:99999"])
def test_an_address_that_is_none_is_refused(command: Command, address: str) -> None:
    outcome = command("run", "--interval=0", *NONE, f"--status-addr={address}")
    assert outcome.status == 1
    assert "is not an address to listen on" in outcome.err
    assert "write host:port" in outcome.err


def test_a_status_page_that_others_can_reach_warns(command: Command) -> None:
    outcome = command("run", "--interval=0", "--dry-run", *NONE, f"--status-addr=:{free_port()}")
    assert outcome.status == 0
    assert "whoever reaches it sees the names, images and reasons of every Application" in outcome.out


def cut(port: int) -> bool:
    """Take the socket that listens on a port away from this process, as the system would; whether there is one."""
    for name in Path("/proc/self/fd").iterdir():
        try:
            if not str(name.readlink()).startswith("socket:"):
                continue
            found = socket.socket(fileno=os.dup(int(name.name)))
        except OSError:
            # Another thread has closed it meanwhile.
            continue
        with closing(found):
            is_listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if is_listening and found.getsockname()[1] == port:
                found.shutdown(socket.SHUT_RDWR)
                return True
    return False


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_a_listener_that_dies_ends_the_process_in_order_with_status_1(
    command: Command, shop: Showcase, mode: str
) -> None:
    port = free_port()
    cutting = threading.Thread(
        target=lambda: shop.world.wait_for_calls("List", listed + 1, 20) and cut(port), name="cutting"
    )
    listed = len(shop.world.calls_of("List"))
    cutting.start()
    ports = (f"--health-port={port}", "--metrics-port=0", "--status-addr=")
    outcome = command("run", "--interval=1h", f"--mode={mode}", "--dry-run", "--warmup-cache=false", *ports)
    cutting.join()
    assert outcome.status == 1
    assert "The health server ended unexpectedly, shutting down" in outcome.err
    assert "Finished." in outcome.out
