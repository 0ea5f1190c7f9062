"""``run`` as a process against the playground's servers: results, streams, statuses, signals, secrets."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import program_command
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire, pytest.mark.e2e]


@dataclass(frozen=True)
class Program:
    """Starts ``run --once`` against one showcase."""

    showcase: Showcase
    registries: Path

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        base = ["run", "--once", "--applications-api", "argocd", "--disable-kubernetes", "--argocd-plaintext"]
        server = ["--argocd-server-addr", self.showcase.web.address, "--argocd-grpc-web", "--metrics-port", "0"]
        return subprocess.Popen(
            [*program_command(), *base, *server, *words],
            env={
                "PATH": "/usr/bin:/bin",
                "ARGOCD_TOKEN": self.showcase.token,
                "NO_PROXY": "*",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        process = self.start("--registries-conf-path", str(self.registries), *words, **environment)
        out, err = process.communicate(timeout=40)
        return process.returncode, out, err


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


@pytest.fixture
def program(showcase: Showcase, tmp_path: Path) -> Program:
    registries = tmp_path / "registries.conf"
    registries.write_text(showcase.registries_conf)
    return Program(showcase, registries)


def test_a_round_updates_and_prints_the_document(program: Program) -> None:
    program.showcase.push_release("web", "1.0.1")
    status, out, err = program.run("--output", "json")
    assert status == 0, err
    images = {a["name"]: image for a in json.loads(out)["applications"] for image in a["images"]}
    assert (images["shop-web"]["from"], images["shop-web"]["to"]) == ("1.0.0", "1.0.1")
    assert images["shop-web"]["reason"] == "update"
    assert images["shop-typo"]["problem"]["code"] == "invalid_constraint"
    assert "Processing results: applications=" in err
    assert err.rstrip().endswith("msg=Finished.")


def test_a_pipe_without_output_gets_the_records(program: Program) -> None:
    status, out, err = program.run("--dry-run", "--logformat", "json")
    assert status == 0, err
    messages = [json.loads(line)["msg"] for line in out.splitlines()]
    assert messages[0].startswith("argocd-image-updater v")
    assert messages[-1] == "Finished."


def test_a_wrong_token_is_one_line_and_status_1(program: Program) -> None:
    status, _, err = program.run(ARGOCD_TOKEN="planted-token")
    assert status == 1
    (line,) = err.splitlines()
    assert "argocd_unauthenticated" in line
    assert "planted" not in line


def test_a_registries_file_that_is_not_valid_is_one_line_and_status_1(program: Program) -> None:
    program.registries.write_text("registries: 7")
    status, _, err = program.run()
    assert status == 1
    (line,) = err.splitlines()
    assert "Could not load registry configuration from" in line


def test_of_two_mistakes_the_one_that_comes_first_in_the_start_is_reported(program: Program, tmp_path: Path) -> None:
    program.registries.write_text("registries: 7")
    (tmp_path / "commit.template").write_text("{{ if }}")
    status, out, err = program.run("--git-commit-message-path", str(tmp_path / "commit.template"))
    assert status == 1
    (line,) = err.splitlines()
    assert "code=template_parse" in line
    assert "starting [loglevel" in out
    assert "ArgoCD configuration" not in out


def test_the_records_of_a_start_come_in_their_order(program: Program, tmp_path: Path) -> None:
    missing = tmp_path / "not-there"
    program.registries.unlink()
    status, out, err = program.run("--git-commit-message-path", str(missing))
    assert status == 0, err
    marks = (
        "starting [loglevel",
        "the built-in template is used",
        "only the built-in registries are known",
        "ArgoCD configuration: ",
        "Runtime settings: ",
        "Starting image update cycle",
    )
    places = [out.index(mark) for mark in marks]
    assert places == sorted(places)


def test_no_secret_shows_at_the_most_talkative_level(program: Program) -> None:
    program.showcase.registry.require_basic("bot", "planted-password")
    conf = program.registries.read_text().rstrip() + "\n  credentials: env:REGISTRY_LOGIN\n"
    program.registries.write_text(conf)
    status, out, err = program.run(
        "--loglevel",
        "trace",
        "--output",
        "json",
        REGISTRY_LOGIN="bot:planted-password",
        ARGOCD_HEADERS="X-Pass: planted-header",
    )
    assert status == 0, err
    assert "tags_unavailable" not in out
    assert "credentials_failed" not in out
    for secret in ("planted", program.showcase.token, "Ym90OnBsYW50ZWQ"):
        assert secret not in out + err


def test_a_signal_ends_a_round_gracefully(program: Program) -> None:
    program.showcase.registry.faults.never_answer()
    process = program.start("--registries-conf-path", str(program.registries), IMAGE_UPDATER_SHUTDOWN_TIMEOUT="100ms")
    program.showcase.registry.wait_for_requests(1, timeout_s=20)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "stopping after a signal" in out
    assert "Finished." in out
    assert "bug" not in err


def test_a_signal_during_the_listing_leaves_a_document_that_says_so(program: Program) -> None:
    begun, over = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        begun.set()
        over.wait(20)

    program.showcase.world.before_next("List", hold)
    words = ("--registries-conf-path", str(program.registries), "--output=json")
    process = program.start(*words, IMAGE_UPDATER_SHUTDOWN_TIMEOUT="100ms")
    assert begun.wait(20)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    over.set()
    assert process.returncode == 0, err
    assert (json.loads(out)["interrupted"], json.loads(out)["applications"]) == (True, [])


def test_a_second_signal_ends_it_at_once(program: Program) -> None:
    program.showcase.registry.faults.never_answer()
    process = program.start("--registries-conf-path", str(program.registries), IMAGE_UPDATER_SHUTDOWN_TIMEOUT="10m")
    program.showcase.registry.wait_for_requests(1, timeout_s=20)
    process.send_signal(signal.SIGTERM)
    # The first has been taken when its handler has begun; a second of the other kind cannot merge with it.
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_registry_that_is_not_allowed_is_never_asked(program: Program) -> None:
    program.showcase.push_release("web", "1.0.1")

    status, out, _ = program.run("--output", "json", REGISTRY_ALLOW_HOSTS="ghcr.io")

    assert status == 0
    document = json.loads(out)
    assert document["totals"]["images_updated"] == 0
    assert document["totals"]["errors"] == 4
    assert program.showcase.registry.requests == ()


def test_a_cache_folder_is_used(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "cache"

    status, _, err = program.run("--registry-cache-dir", str(folder))

    assert status == 0, err
    assert any(folder.iterdir())
