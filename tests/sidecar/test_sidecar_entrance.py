"""``python -m sidecar`` is ``run`` with the defaults of a container beside argocd-server (``runtime.md`` 8.9)."""

from __future__ import annotations

import subprocess

import pytest

from tests.program import program_command
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.places import BESIDE_ARGOCD_SERVER
from updater.settings.resolution import resolve
from updater.settings.table import options_of

NOBODY = "127.0.0.1:1"
"""Where nobody listens."""

NO_PORTS = ("--health-port=0", "--metrics-port=0", "--status-addr=")
"""Tests run side by side."""


def sidecar(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program_command("sidecar"), *words],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [pytest.param((), id="alone"), pytest.param(("run",), id="with the command", marks=pytest.mark.slow)],
)
def test_it_is_the_command_run(words: tuple[str, ...]) -> None:
    done = sidecar(*words, *NO_PORTS, IMAGE_UPDATER_INTERVAL="0s", ARGOCD_SERVER=NOBODY, ARGOCD_TOKEN="t")
    assert done.returncode == 1
    assert f"checking the token at http://{NOBODY}: the connection cannot be made" in done.stderr


def test_a_flag_and_a_variable_override_the_place() -> None:
    assert "--disable-kubernetes" in sidecar("--applications-api", "kubernetes", "--once").stderr
    assert "variable APPLICATIONS_API" in sidecar("--once", APPLICATIONS_API="x").stderr


def test_config_shows_what_run_would_have_here() -> None:
    done = sidecar("config", "--health-port=1")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    found = {name: (value, origin) for name, value, origin in lines}
    assert found["argocd-server-addr"] == ("localhost:8080", "place sidecar")
    assert found["health-port"] == ("1", "flag --health-port")


def test_another_command_is_itself() -> None:
    done = sidecar("version", "--short")
    assert (done.returncode, done.stdout[:1]) == (0, "v")
    assert "unknown command" in sidecar("rnu").stderr


def test_the_ports_of_the_place_are_its_own() -> None:
    """Those of argocd-server's containers are taken (``runtime.md`` 8.9)."""
    settings = resolve(
        "run", parse_arguments([], options_of("run")), {}, platform=Platform(), place=BESIDE_ARGOCD_SERVER
    )
    assert (settings.settings.integer("health_port"), settings.settings.integer("metrics_port")) == (8090, 8091)
