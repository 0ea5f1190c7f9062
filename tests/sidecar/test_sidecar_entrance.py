"""``python -m sidecar`` is ``run`` with the defaults of a container beside argocd-server (``runtime.md`` 8.9)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from updater.cli.entry import run_program
from updater.settings.places import BESIDE_ARGOCD_SERVER


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
    done = sidecar(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "use --once or --interval 0" in done.stderr


def test_a_flag_and_a_variable_override_the_place() -> None:
    assert "--disable-kubernetes" in sidecar("--applications-api", "kubernetes", "--once").stderr
    assert "variable APPLICATIONS_API" in sidecar("--once", APPLICATIONS_API="x").stderr


def test_the_defaults_are_not_taken_for_wishes(capsys: pytest.CaptureFixture[str]) -> None:
    """Ports of the place do not ask for servers that this release does not have, the same ports as flags do."""
    assert run_program(["run", "--interval", "1s"], {}, BESIDE_ARGOCD_SERVER) == 1
    assert "rounds that repeat" in capsys.readouterr().err
    assert run_program(["run", "--once", "--metrics-port", "8091"], {}, BESIDE_ARGOCD_SERVER) == 1
    assert "the metrics server" in capsys.readouterr().err
