"""The program as a process, watched from outside: probes, metrics and status from its start to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.ports import free_ports
from tests.program import program_command
from updater.clock import Deadline, SystemClock
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]
PATIENCE_S = 30.0
CLOCK = SystemClock()


def get(port: int, path: str) -> tuple[int, str]:
    """Status 0 when nobody answers."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, HTTPException) as error:
            return 0, str(error)


def wait_for(text: str, port: int, path: str) -> None:
    deadline = Deadline.after(CLOCK, PATIENCE_S)
    while text not in (said := get(port, path)[1]):
        assert not deadline.has_passed, said
        CLOCK.wait_s(0.1)


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_a_process_is_watched_from_start_to_end(showcase: Showcase, tmp_path: Path, mode: str) -> None:
    registries = tmp_path / "registries.conf"
    registries.write_text(showcase.registries_conf)
    showcase.push_release("web", "1.0.1")
    health, metrics, status = free_ports(3)
    flags = [
        "--applications-api=argocd",
        "--disable-kubernetes",
        "--argocd-grpc-web",
        f"--mode={mode}",
        "--interval=1h",
    ]
    ports = [f"--health-port={health}", f"--metrics-port={metrics}", f"--status-addr=127.0.0.1:{status}"]
    peers = [f"--argocd-server-addr={showcase.web.url}", f"--registries-conf-path={registries}"]
    process = subprocess.Popen(
        [*program_command(), "run", *flags, *ports, *peers],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "ARGOCD_TOKEN": showcase.token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for('images_updated_total{application="argocd/shop-web"} 1.0', metrics, "/metrics")
        wait_for('"lastUpdate":{', status, "/api/v1/applications/argocd/shop-web")
        assert get(health, "/healthz") == (200, "OK\n")
        assert get(health, "/readyz") == (200, "OK\n")
        found = json.loads(get(status, "/api/v1/applications/argocd/shop-web")[1])
        assert [change["to"] for change in found["lastUpdate"]["images"]] == ["1.0.1"]
        assert found["images"][0]["candidates"]["rows"][0]["tag"] == "1.0.1"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, out
    assert [get(port, "/")[0] for port in (health, metrics, status)] == [0, 0, 0]
    assert showcase.token not in out
