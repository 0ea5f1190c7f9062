"""The program as a process that starts at once: forked from one that has imported everything.

A fresh interpreter takes a second until it runs our first line, which a suite of hundreds of processes cannot afford.
What a test starts is ``stub``, which hands its arguments, environment, folder and streams to ``starter`` and stands for
the process that this forks: it passes signals on, ends with the same status, and takes the process with it when it is
killed. How the program starts in a fresh interpreter is the business of ``tests/cli/test_cli_process.py``.
"""

from __future__ import annotations

import atexit
import functools
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent


def program_command(module: str = "updater.cli.entry") -> tuple[str, ...]:
    """The words that start the program, to which its own arguments are added; ``sidecar`` starts the other entrance."""
    return (sys.executable, "-I", "-S", str(_HERE / "stub.py"), _address(), module)


@functools.cache
def _address() -> str:
    """The socket of this process's starter, which ends with it."""
    folder = tempfile.mkdtemp(prefix="starter-")
    address = str(Path(folder) / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    number = listening.fileno()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.program.starter", str(number)],
        cwd=_HERE.parent.parent,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        stdin=subprocess.PIPE,
        pass_fds=[number],
    )
    listening.close()
    atexit.register(_end, process, Path(address))
    return address


def _end(process: subprocess.Popen[bytes], address: Path) -> None:
    process.communicate()
    address.unlink()
    address.parent.rmdir()
