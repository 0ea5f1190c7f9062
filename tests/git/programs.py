"""Programs of the system that tests need: absent ones skip the test, or fail it where they must be there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
START_S = 10.0


def need_program(name: str, package: str) -> str:
    """The path of a program of a Debian package."""
    found = shutil.which(name, path=_PLACES)
    if found is None:
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(f"{name} of the package {package} is not installed")
        pytest.skip(f"needs {name} of the Debian package {package}")
    return found


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server that was just started takes connections."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"the server did not start: {log.read_text() if log.exists() else ''}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that leads a group, with all its workers, and wait for it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
