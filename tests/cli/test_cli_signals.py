"""Signals (``runtime.md`` 3.10)."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from updater.cli.signals import Shutdown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_for_the_end(number: signal.Signals) -> None:
    stopped = threading.Event()

    def work() -> bool:
        signal.raise_signal(number)
        return stopped.wait(20)

    with Shutdown() as shutdown:
        assert shutdown.guard(work, stopped.set)
        assert shutdown.is_requested


def test_a_signal_that_comes_early_is_remembered() -> None:
    stopped = threading.Event()
    with Shutdown() as shutdown:
        signal.raise_signal(signal.SIGTERM)
        assert shutdown.guard(lambda: stopped.wait(20), stopped.set)


def test_without_a_signal_nothing_is_stopped_and_errors_come_through() -> None:
    stopped = threading.Event()
    with Shutdown() as shutdown:
        assert shutdown.guard(lambda: 7, stopped.set) == 7
        with pytest.raises(ZeroDivisionError):
            shutdown.guard(lambda: 1 // 0, stopped.set)
    assert not stopped.is_set()


def test_a_hangup_is_ignored_and_handlers_are_put_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with Shutdown() as shutdown:
        signal.raise_signal(signal.SIGHUP)
        assert not shutdown.is_requested
    assert [signal.getsignal(number) for number in numbers] == before


def test_the_second_signal_ends_at_once_with_its_status() -> None:
    code = (
        "import signal\nfrom updater.cli.signals import Shutdown\n"
        "with Shutdown():\n    signal.raise_signal(signal.SIGINT)\n    signal.raise_signal(signal.SIGTERM)\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "")
