"""Programs of the system that tests need: absent ones skip the test, or fail it where they must be there."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
START_S = 40.0
ENDING_S = 20.0


def need_program(name: str, package: str) -> str:
    """The path of a program of a Debian package."""
    found = shutil.which(name, path=_PLACES)
    if found is None:
        if os.environ.get("UPDATER_REQUIRE_REAL") == "1":
            pytest.fail(f"{name} of the package {package} is not installed")
        pytest.skip(f"needs {name} of the Debian package {package}")
    return found


class Server:
    """A server of another program, leading a process group; made when it says that it listens.

    ``ready`` is in the line of its standard error that says so. What it writes there is kept in ``log``, so that it
    never waits for a reader.
    """

    def __init__(self, arguments: Sequence[str | Path], ready: str, log: Path) -> None:
        self._heard, self._is_ready = threading.Event(), False
        self._process = subprocess.Popen(arguments, stderr=subprocess.PIPE, start_new_session=True)
        self._reader = threading.Thread(target=self._listen, args=(ready.encode(), log), name=f"reads {log.name}")
        self._reader.start()
        if not self._heard.wait(START_S) or not self._is_ready:
            self.stop()
            pytest.fail(f"the server did not start: {log.read_text()}")

    def _listen(self, ready: bytes, log: Path) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines, log.open("wb", buffering=0) as kept:
            for line in lines:
                kept.write(line)
                if ready in line:
                    self._is_ready = True
                    self._heard.set()
        self._heard.set()

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    def freeze(self) -> None:
        """Let connections come that nobody answers."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on as before."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it with all its workers."""
        stop(self._process)
        self._reader.join()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that leads a group, with all its workers, and wait for it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def has_ended(pid: int) -> bool:
    """Whether a process has ended, or does so in a moment: a killed one needs some time for it."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([number], [], [], ENDING_S)[0])
    finally:
        os.close(number)
