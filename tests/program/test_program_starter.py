"""The starter stays at work whatever happens to stubs: without it every later test of its process would fail."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest

from tests.program import program_command


@pytest.mark.slow
def test_stubs_that_end_at_any_moment_do_not_end_the_starter() -> None:
    pause = threading.Event()
    for number in range(100):
        process = subprocess.Popen(
            [*program_command(), "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # A program takes about a tenth of a second.
        pause.wait(number * 0.0015)
        process.send_signal((signal.SIGTERM, signal.SIGKILL)[number % 2])
        process.wait(20)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    done = subprocess.run(
        [*program_command(), "version"], env=environment, capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
