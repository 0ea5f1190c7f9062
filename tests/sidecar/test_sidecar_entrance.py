"""``python -m sidecar`` is ``run`` with the defaults of a container beside argocd-server (``runtime.md`` 8.9)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from updater.cli.entry import run_program
from updater.settings.places import BESIDE_ARGOCD_SERVER

NOBODY = "127.0.0.1:1"
"""Where nobody listens."""


def sidecar(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "sidecar", *words],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("words", [pytest.param((), id="alone"), pytest.param(("run",), id="with the command")])
def test_it_is_the_command_run(words: tuple[str, ...]) -> None:
    done = sidecar(*words, IMAGE_UPDATER_INTERVAL="0s", ARGOCD_SERVER=NOBODY, ARGOCD_TOKEN="t")
    assert done.returncode == 1
    assert f"checking the token at http://{NOBODY}: the connection cannot be made" in done.stderr


def test_a_flag_and_a_variable_override_the_place() -> None:
    assert "--disable-kubernetes" in sidecar("--applications-api", "kubernetes", "--once").stderr
    assert "variable APPLICATIONS_API" in sidecar("--once", APPLICATIONS_API="x").stderr


def test_the_defaults_are_not_taken_for_wishes(capsys: pytest.CaptureFixture[str]) -> None:
    """Ports of the place do not ask for servers that this release does not have, the same ports as flags do."""
    reached = {"ARGOCD_SERVER": NOBODY, "ARGOCD_TOKEN": "t"}
    assert run_program(["run", "--once"], reached, BESIDE_ARGOCD_SERVER) == 1
    assert "the connection cannot be made" in capsys.readouterr().err
    assert run_program(["run", "--once", "--metrics-port", "8091"], {}, BESIDE_ARGOCD_SERVER) == 1
    assert "the metrics server" in capsys.readouterr().err
