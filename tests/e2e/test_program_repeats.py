"""``run`` without ``--once``: rounds or attempts that repeat, until a signal ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.program import program_command
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 20.0


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


@pytest.fixture
def start(showcase: Showcase, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    registries = tmp_path / "registries.conf"
    registries.write_text(showcase.registries_conf)
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [*program_command(), "run", "--applications-api", "argocd"]
        connection = ["--argocd-server-addr", showcase.web.url, "--argocd-grpc-web", "--disable-kubernetes"]
        ports = ["--health-port=0", "--metrics-port=0", "--status-addr="]
        process = subprocess.Popen(
            [*command, *connection, *ports, f"--registries-conf-path={registries}", *words],
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "ARGOCD_TOKEN": showcase.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def tag_of(showcase: Showcase, name: str) -> str:
    parameters = showcase.world.application(name).spec.source.helm.parameters
    return next(entry.value for entry in parameters if entry.name == "image.tag")


def when_written(showcase: Showcase) -> threading.Event:
    """Set when the next UpdateSpec has been carried out."""
    written = threading.Event()
    showcase.world.after_next("UpdateSpec", written.set)
    return written


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_a_tag_that_appears_later_is_followed_without_a_restart(
    showcase: Showcase, start: Callable[..., subprocess.Popen[str]], mode: str
) -> None:
    assert showcase.world.wait_for_calls("List", 0, 0.1)
    process = start("--interval", "1s", "--mode", mode, "--warmup-cache=false")
    assert showcase.world.wait_for_calls("List", 1, PATIENCE_S)
    assert tag_of(showcase, "shop-web") == "1.0.0"
    written = when_written(showcase)

    showcase.push_release("web", "1.0.1")

    assert written.wait(PATIENCE_S)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    assert tag_of(showcase, "shop-web") == "1.0.1"
    assert "Finished." in out


@pytest.mark.slow
def test_cycles_go_on_while_the_server_is_away(showcase: Showcase, start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("--interval", "1s", "--warmup-cache=false")
    assert showcase.world.wait_for_calls("List", 1, PATIENCE_S)
    showcase.web.faults.answer(503, {}, b"away")
    assert showcase.web.wait_for_requests(len(showcase.web.requests) + 2, PATIENCE_S)
    showcase.web.faults.clear()
    written = when_written(showcase)
    showcase.push_release("web", "1.0.1")

    assert written.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out


def test_the_cache_is_warmed_up_before_the_first_round(
    showcase: Showcase, start: Callable[..., subprocess.Popen[str]]
) -> None:
    showcase.push_release("web", "1.0.1")
    written = when_written(showcase)
    process = start("--interval", "60s")

    assert written.wait(PATIENCE_S)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    assert out.index("Warming up image cache") < out.index("Finished cache warm-up") < out.index("Setting new image")
