"""``webhook`` and ``run --enable-webhook`` as processes, and what every sender sends them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.program import program_command
from tests.program.output import ProgramOutput
from tests.wire.webhooks.payloads import SECRET, SENT, Sent
from updater.playground.showcase import REGISTRY_HOST, Showcase
from updater.settings.webhooks import SECRET_SETTINGS

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

PATIENCE_S = 20.0
SECRETS = {key.upper(): SECRET for key in SECRET_SETTINGS.values()}


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


class Serving:
    """One process; its output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.output = ProgramOutput(process, PATIENCE_S)

    def send(self, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE_S)
        self.output.join()
        return status


@pytest.fixture
def start(showcase: Showcase, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    registries = tmp_path / "registries.conf"
    registries.write_text(showcase.registries_conf)
    started: list[Serving] = []

    def begin(*words: str, port: int = 0) -> Serving:
        port = port or free_port()
        process = subprocess.Popen(
            [*program_command(), *words, f"--webhook-port={port}", f"--registries-conf-path={registries}"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "ARGOCD_TOKEN": showcase.token,
                "ARGOCD_SERVER": showcase.web.url,
                "ARGOCD_GRPC_WEB": "true",
                "APPLICATIONS_API": "argocd",
                "ARGOCD_TLS_DATA_PATH": str(tmp_path),
                **SECRETS,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Serving(process, port))
        return started[-1]

    yield begin
    for serving in started:
        serving.process.kill()
        serving.process.wait()
        serving.output.join()


def native(name: str, tag: str) -> Sent:
    return Sent("native", {"name": name, "tag": tag}, ("", "", ""), {"X-Hub-Signature-256": "SIGNATURE"})


def test_every_sender_is_understood_and_no_secret_is_told(showcase: Showcase, start: Callable[..., Serving]) -> None:
    serving = start("webhook", "--disable-kubernetes", "--loglevel", "trace")
    serving.output.wait_for("Starting webhook server on port")
    for sent in SENT:
        assert serving.send(sent.target, sent.content, sent.sent_headers) == (200, "Webhook received and processing")
        wrong = {name: "guess-1" for name in sent.sent_headers if name in ("Authorization", "X-Webhook-Secret")}
        headers = {**sent.sent_headers, **wrong, "X-Hub-Signature-256": "sha256=guess-2"}
        status, text = serving.send(sent.target.replace(SECRET, "guess-3"), sent.content, headers)
        assert (status, "guess" in text) == (400, False)
        serving.output.wait_for(f"tag={sent.read[2]} type={sent.type}")
    showcase.push_release("web", "1.0.1")
    sent = native(f"{REGISTRY_HOST}/shop/web", "1.0.1")
    assert serving.send(sent.target, sent.content, sent.sent_headers)[0] == 200
    assert showcase.world.wait_for_calls("UpdateSpec", 1, PATIENCE_S)
    serving.output.wait_for("Update result: processed=2 updated=1 errors=1 skipped=0")
    assert serving.end() == 0
    out = serving.output.text
    assert SECRET not in out
    assert "guess" not in out
    for fragment in (
        "Received valid webhook event",
        "Processing webhook event for ghcr.io/acme/api:1.2",
        "Found 0 applications watching image",
        "Triggering image update check for application",
        "Failed to process webhook: invalid webhook s",
        "Finished.",
    ):
        assert fragment in out


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_run_serves_webhooks_beside_its_rounds(showcase: Showcase, start: Callable[..., Serving], mode: str) -> None:
    ports = ("--health-port=0", "--metrics-port=0", "--status-addr=")
    serving = start("run", "--disable-kubernetes", "--enable-webhook", "--interval=1h", f"--mode={mode}", *ports)
    serving.output.wait_for("Processing results" if mode == "cycle" else "continuous: finished processing")
    showcase.push_release("web", "1.0.1")
    sent = native(f"{REGISTRY_HOST}/shop/web", "1.0.1")
    assert serving.send(sent.target, sent.content, sent.sent_headers)[0] == 200
    assert showcase.world.wait_for_calls("UpdateSpec", 1, PATIENCE_S)
    assert serving.end() == 0


def test_a_port_that_is_taken_and_a_pair_that_cannot_be_used_end_the_start(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    first = start("webhook", "--disable-kubernetes")
    first.output.wait_for("Starting webhook server on port")
    with closing(socket.create_connection(("127.0.0.1", first.port), timeout=PATIENCE_S)):
        second = start("webhook", "--disable-kubernetes", port=first.port)
        assert second.process.wait(PATIENCE_S) == 1
    second.output.wait_for(f"--webhook-port: cannot listen on :{first.port}: Address already in use")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_text("nonsense")
    third = start("webhook", "--disable-kubernetes")
    assert third.process.wait(PATIENCE_S) == 1
    third.output.wait_for("tls.crt: it cannot be read as a certificate")
