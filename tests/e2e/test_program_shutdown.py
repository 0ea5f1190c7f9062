"""The end of the program after a signal: one deadline, whatever hangs (``runtime.md`` 3.10)."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest

from tests.ports import free_port
from tests.program import program_command
from tests.program.output import ProgramOutput
from updater.assembly.ending import LONGEST_CLOSING_S
from updater.playground.showcase import REGISTRY_HOST, Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 20.0


class Ending:
    """A program with a write that the API server does not answer, and a webhook client that never finishes."""

    def __init__(self, showcase: Showcase, folder: Path, mode: str, timeout: str) -> None:
        self.showcase = showcase
        self.port = free_port()
        registries = folder / "registries.conf"
        registries.write_text(showcase.registries_conf)
        self.held, self.released = threading.Event(), threading.Event()
        showcase.world.before_next("UpdateSpec", self._hold)
        showcase.push_release("web", "1.0.1")
        self.process = subprocess.Popen(
            [
                *program_command(),
                *("run", "--interval=1h", f"--mode={mode}", "--warmup-cache=false", f"--webhook-port={self.port}"),
                *("--enable-webhook", "--webhook-require-secret=false", f"--registries-conf-path={registries}"),
                *("--health-port=0", "--metrics-port=0", "--status-addr=", "--disable-kubernetes", "--disable-tls"),
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "ARGOCD_TOKEN": showcase.token,
                "ARGOCD_SERVER": showcase.web.url,
                "ARGOCD_GRPC_WEB": "true",
                "APPLICATIONS_API": "argocd",
                "IMAGE_UPDATER_SHUTDOWN_TIMEOUT": timeout,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ProgramOutput(self.process, PATIENCE_S)
        assert self.held.wait(PATIENCE_S), self.output.text
        self.client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self.client.sendall(b"POST /webhook?type=native HTTP/1.1\r\nHost: updater\r\nContent-Length: 100\r\n\r\n{")

    def _hold(self, *_: object) -> None:
        self.held.set()
        self.released.wait(PATIENCE_S)

    def push_event(self) -> None:
        """An event about the Application whose write is under way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with closing(connection):
            body = f'{{"name": "{REGISTRY_HOST}/shop/web", "tag": "1.0.1"}}'
            connection.request("POST", "/webhook?type=native", body)
            assert connection.getresponse().status == 200
        self.output.wait_for("Triggering image update check")

    def end(self) -> str:
        """What the program printed, to its end."""
        self.process.wait(PATIENCE_S)
        self.output.join()
        return self.output.text

    def close(self) -> None:
        self.released.set()
        self.process.kill()
        self.process.wait()
        self.output.join()
        self.client.close()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str, str], Ending]]:
    begun: list[Ending] = []
    with Showcase() as showcase:

        def start(mode: str, timeout: str) -> Ending:
            begun.append(Ending(showcase, tmp_path, mode, timeout))
            return begun[-1]

        yield start
        for each in begun:
            each.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_the_end_comes_by_its_deadline_whatever_hangs_and_says_what_it_gave_up(
    begin: Callable[[str, str], Ending], mode: str
) -> None:
    ending = begin(mode, "500ms")
    ending.push_event()
    before_s = monotonic()
    ending.process.send_signal(signal.SIGTERM)
    out = ending.end()
    assert monotonic() - before_s < 0.5 + LONGEST_CLOSING_S
    assert ending.process.returncode == 0, out
    assert out.index("Not all webhook events could be finished") < out.index("The shutdown timeout of 500ms is over")
    (given_up,) = [line for line in out.splitlines() if "what still runs is given up" in line]
    assert "1 write(s) (argocd/shop-web)" in given_up
    assert "Ended by force" not in out
    assert "Finished." in out


@pytest.mark.slow
def test_a_write_in_flight_may_end_after_events_were_given_up(begin: Callable[[str, str], Ending]) -> None:
    ending = begin("continuous", "4s")
    ending.push_event()
    ending.process.send_signal(signal.SIGTERM)
    ending.output.wait_for("Not all webhook events could be finished")
    ending.released.set()
    out = ending.end()
    assert ending.process.returncode == 0, out
    assert "Successfully updated the live application spec" in out
    assert "given up" not in out
    assert "Finished." in out


def test_a_second_signal_does_not_wait_for_events_and_writes(begin: Callable[[str, str], Ending]) -> None:
    ending = begin("continuous", "10m")
    ending.push_event()
    ending.process.send_signal(signal.SIGTERM)
    ending.output.wait_for("stopping after a signal")
    before_s = monotonic()
    ending.process.send_signal(signal.SIGTERM)
    out = ending.end()
    assert ending.process.returncode == 128 + signal.SIGTERM, out
    assert monotonic() - before_s < LONGEST_CLOSING_S
