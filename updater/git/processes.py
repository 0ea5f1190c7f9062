"""One child process with a deadline, bounded output, and nobody left behind.

Every child leads a process group of its own, so that what it starts (``git-remote-https``, ``ssh``, hooks of a local
remote) ends with it: at the deadline the group is asked to end and then killed, and after a normal exit it is killed as
well, because helpers survive their parent (``write-back.md`` 3.2). Arguments are a vector; no shell is involved.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from updater.clock import Clock, Deadline
from updater.errors import GitError
from updater.git.file_limits import limit_files
from updater.transport.redaction import cap_text, redact

MAX_OUTPUT_BYTES = 64 * 1024 * 1024
"""Of each stream: a listing of refs has 60 bytes per ref, so this is a million of them."""
_MAX_COMPLAINT_BYTES = 32 * 1024
"""Of what is looked at of stderr, its beginning and its end: a remote may write there as much as it likes, and patterns
are searched in it."""
_LAST_GRACE_S = 2.0
"""From asking a group to end until it is killed, once the shutdown timeout is over and our own end is near."""
_CHUNK_BYTES = 65_536
_POLL_S = 0.25
"""How often the end of a child is looked for whose grandchildren keep its streams open."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """``soft_s`` until the group is asked to end, then ``fatal_s`` until it is killed."""

    soft_s: float = 90.0
    fatal_s: float = 10.0
    max_output_bytes: int = MAX_OUTPUT_BYTES


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. The environment may hold credentials and stays out of the repr.

    ``max_file_bytes`` is the longest file that may be written, for the child and all that it starts; one that goes on
    dies of ``SIGXFSZ``. Only Linux can set this limit for another process; elsewhere there is none.
    """

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    stdin: bytes = field(default=b"", repr=False)
    max_file_bytes: int | None = None

    @property
    def name(self) -> str:
        """``git push`` of a longer vector, for messages."""
        words = [word for word in self.arguments[1:] if not word.startswith("-") and "=" not in word]
        return f"git {words[0]}" if words else "git"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended by itself; ``status`` is negative for a signal."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """What the process wrote to stderr, without credentials; of one that was killed in silence, by which signal."""
        said = redact(_shortened(self.stderr).decode("utf-8", "replace")).strip()
        return f"it died of signal {-self.status}" if not said and self.status < 0 else said


class ProcessRunner:
    """Runs commands; may be shared between threads. Once ``abandoned`` is set, what runs ends and nothing begins."""

    def __init__(self, limits: ProcessLimits, clock: Clock, abandoned: threading.Event | None = None) -> None:
        self._limits = limits
        self._clock = clock
        self._abandoned = abandoned or threading.Event()

    def run(self, command: Command, deadline: Deadline) -> Finished:
        """Run to the end, whatever the exit status.

        Raises ``GitError``: ``timeout`` when the deadline or the soft limit passed, ``shutting_down``, ``git_missing``
        when there is no such program, ``output_too_large``. In each case no process of the group is left.
        """
        within = deadline.sooner(self._limits.soft_s)
        if self._abandoned.is_set():
            raise _shutting_down(command)
        process = _start(command)
        try:
            exchange = _Exchange(process, command, self._limits.max_output_bytes, self._abandoned)
            stdout, stderr = exchange.carry_out(within)
            return Finished(process.returncode, stdout, stderr)
        except BaseException:
            self._end(process)
            raise
        finally:
            for stream in (process.stdin, process.stdout, process.stderr):
                _close(stream)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _signal_group(process.pid, signal.SIGTERM)
        fatal_s = min(self._limits.fatal_s, _LAST_GRACE_S) if self._abandoned.is_set() else self._limits.fatal_s
        grace = Deadline.after(self._clock, fatal_s)
        _wait_for_exit(process, grace)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


class _Exchange:
    """Feeds and drains one child until it has ended."""

    def __init__(
        self, process: subprocess.Popen[bytes], command: Command, max_bytes: int, abandoned: threading.Event
    ) -> None:
        self._process = process
        self._command = command
        self._max_bytes = max_bytes
        self._abandoned = abandoned
        self._unsent = memoryview(command.stdin)
        self._received: dict[int, bytearray] = {}

    def carry_out(self, deadline: Deadline) -> tuple[bytes, bytes]:
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("the child was started without pipes")
        self._received = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        with selectors.DefaultSelector() as selector:
            self._register(selector, process.stdin)
            for stream in (process.stdout, process.stderr):
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ)
            self._loop(selector, deadline)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        stdout, stderr = self._received.values()
        return bytes(stdout), bytes(stderr)

    def _register(self, selector: selectors.BaseSelector, stdin: IO[bytes]) -> None:
        if not self._unsent:
            stdin.close()
            return
        os.set_blocking(stdin.fileno(), False)
        selector.register(stdin, selectors.EVENT_WRITE)

    def _loop(self, selector: selectors.BaseSelector, deadline: Deadline) -> None:
        while True:
            if deadline.has_passed:
                raise GitError(f"{self._command.name} did not end in time", code="timeout", retryable=True)
            if self._abandoned.is_set():
                raise _shutting_down(self._command)
            exited = _has_exited(self._process)
            ready = selector.select(0 if exited else min(_POLL_S, deadline.remaining_s())) if selector.get_map() else []
            for key, _ in ready:
                self._move(selector, key)
            if exited and not ready:
                return
            if not exited and not selector.get_map():
                _wait_for_exit(self._process, deadline.sooner(_POLL_S))

    def _move(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        try:
            is_done = self._send(key.fd) if key.fd not in self._received else self._receive(key.fd)
        except BlockingIOError:
            return
        except BrokenPipeError:
            is_done = True
        if is_done:
            selector.unregister(key.fileobj)
            if key.fd not in self._received:
                _close(self._process.stdin)

    def _send(self, number: int) -> bool:
        self._unsent = self._unsent[os.write(number, self._unsent[:_CHUNK_BYTES]) :]
        return not self._unsent

    def _receive(self, number: int) -> bool:
        chunk = os.read(number, _CHUNK_BYTES)
        received = self._received[number]
        received += chunk
        if len(received) > self._max_bytes:
            raise GitError(f"{self._command.name} wrote more than {self._max_bytes} bytes", code="output_too_large")
        return not chunk


def _shortened(stderr: bytes) -> bytes:
    half = _MAX_COMPLAINT_BYTES // 2
    return stderr if len(stderr) <= _MAX_COMPLAINT_BYTES else stderr[:half] + b"\n...\n" + stderr[-half:]


def _start(command: Command) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(  # noqa: S603 - a vector built here, no shell
            command.arguments,
            cwd=command.folder,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise GitError(
            f"{command.arguments[0]} cannot be started: {cap_text(str(error))}",
            hint="install git 2.32 or newer and see that the temporary folder exists",
            code="git_missing",
        ) from error
    if command.max_file_bytes is not None and sys.platform == "linux":
        with suppress(ProcessLookupError):  # it has ended already
            limit_files(process.pid, command.max_file_bytes)
    return process


def _shutting_down(command: Command) -> GitError:
    what = f"{command.name} was left out or ended early, because the updater is shutting down"
    return GitError(what, code="shutting_down")


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether the leader has ended; it stays a zombie, so that the id of its group cannot be given to another."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait_for_exit(process: subprocess.Popen[bytes], deadline: Deadline) -> None:
    """Wait a little for a child that has closed its streams, without reaping it."""
    step_s = 0.001
    while not _has_exited(process) and not deadline.has_passed:
        select.select((), (), (), step_s)  # not the clock's wait: at shutdown that one returns at once
        step_s = min(step_s * 2, _POLL_S)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone already; macOS says EPERM of a group of zombies
        os.killpg(group, number)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError):  # an unsent rest of stdin cannot be flushed to a child that has ended
            stream.close()


def arguments_of(*words: str, configuration: Sequence[str] = ()) -> tuple[str, ...]:
    """``git -c key=value ... words``."""
    return ("git", *(part for item in configuration for part in ("-c", item)), *words)
