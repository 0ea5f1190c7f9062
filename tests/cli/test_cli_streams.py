"""Standard output that cannot be written: what that does to the work, to the status, and what is said of it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.program import program_command
from updater.playground.showcase import Showcase

pytestmark = [pytest.mark.wire]

_ROUND = "run --once --dry-run --health-port 0 --metrics-port 0"
_MOVED = "records go to standard error from here on: standard output cannot be written: "
_RESULT_LOST = "Error: standard output cannot be written: "


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    with Path("/dev/full").open("wb") as device:
        yield device


@pytest.fixture
def gone() -> Iterator[IO[bytes]]:
    """A pipe whose reader has gone, as that of ``head`` has when it has seen enough."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        yield pipe


@pytest.fixture
def environment(shop: Showcase) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "APPLICATIONS_API": "argocd",
        "ARGOCD_SERVER": shop.web.url,
        "ARGOCD_GRPC_WEB": "true",
        "ARGOCD_TOKEN": shop.token,
        "NO_PROXY": "*",
    }


def run(
    words: str, registries: Path, environment: dict[str, str], stdout: IO[bytes]
) -> subprocess.CompletedProcess[str]:
    flags = ("--disable-kubernetes", "--registries-conf-path", str(registries))
    name, *rest = words.split()
    return subprocess.run(
        [*program_command(), name, *flags, *rest],
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("where", ["full", "gone"])
def test_a_round_without_a_result_goes_on_and_its_records_move(
    where: str, request: pytest.FixtureRequest, shop_registries: Path, environment: dict[str, str]
) -> None:
    done = run(_ROUND, shop_registries, environment, request.getfixturevalue(where))

    assert done.returncode == 0, done.stderr
    assert done.stderr.count(_MOVED) == 1
    assert "argocd-image-updater v" in done.stderr
    assert "grpc_web=true, plaintext=true]" in done.stderr, "what the scheme of the address says, without the flag"
    assert done.stderr.splitlines()[-1].endswith("msg=Finished.")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_round_whose_output_was_closed_before_it_began_is_as_good(
    shop_registries: Path, environment: dict[str, str]
) -> None:
    words = f"{_ROUND} --disable-kubernetes --registries-conf-path {shlex.quote(str(shop_registries))}"
    command = f"{sys.executable} -W error -m updater.cli.entry {words} >&-"
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=50, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr.count(_MOVED) == 1
    assert "Processing results: applications=4" in done.stderr


@pytest.mark.parametrize("streams", [">/dev/full 2>&1", ">&- 2>/dev/full"])
def test_a_round_whose_records_have_nowhere_to_go_keeps_its_status(
    streams: str, shop_registries: Path, environment: dict[str, str]
) -> None:
    words = f"{_ROUND} --disable-kubernetes --registries-conf-path {shlex.quote(str(shop_registries))}"
    command = f"{sys.executable} -W error -m updater.cli.entry {words} {streams}"
    done = subprocess.run(["bash", "-c", command], env=environment, timeout=50, check=False)

    assert done.returncode == 0


def test_a_result_that_the_disk_has_no_room_for_is_one_line_and_status_1(
    full: IO[bytes], shop_registries: Path, environment: dict[str, str]
) -> None:
    done = run(f"{_ROUND} --output json", shop_registries, environment, full)

    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if "level=" not in line] == [
        f"{_RESULT_LOST}No space left on device"
    ]


def test_a_reader_of_the_result_who_has_seen_enough_is_not_worth_a_word(
    gone: IO[bytes], shop_registries: Path, environment: dict[str, str]
) -> None:
    done = run("plan shop-api", shop_registries, environment, gone)

    assert done.returncode == 141
    assert [line for line in done.stderr.splitlines() if "level=" not in line] == []
