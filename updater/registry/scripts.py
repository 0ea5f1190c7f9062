"""External programs that print ``user:password`` (``registries.md`` 2.7).

Each runs in a session of its own, so that its whole family can be ended: when it is done, takes too long or prints too
much. What it prints is never logged; what it says on the error stream is shown capped and redacted.
"""

from __future__ import annotations

import os
import selectors
import signal
import stat
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from updater.clock import Clock, Deadline
from updater.errors import CredentialError
from updater.model.credential_sources import is_own_secret
from updater.ports.log import EventLog
from updater.transport.redaction import cap_text, redact

TIMEOUT_S = 10.0
MAX_OUTPUT_BYTES = 64 * 1024
MAX_COMPLAINT_BYTES = 1024
MAX_AT_ONCE = 4
_TICK_S = 0.02
"""How often the end of the program is looked for while its pipes are silent: a child may hold them open for ever."""


@dataclass(slots=True)
class _Output:
    """What a program has written so far."""

    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)


class ScriptRunner:
    """Runs scripts, at most four at once. Thread-safe."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, log: EventLog) -> None:
        # The Argo CD token and headers and the secrets of webhooks are no script's; the rest is theirs, as ever.
        self._environment = {name: value for name, value in environment.items() if not is_own_secret(name)}
        self._clock = clock
        self._log = log
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._lock = threading.Lock()
        self._remarked: set[str] = set()

    def run(self, path: str, deadline: Deadline) -> str:
        """The one line that the script prints, without its end; raises ``CredentialError``."""
        if _check(path):
            self._remark(path)
        if not self._slots.acquire(timeout=deadline.remaining_s()):
            raise _failed(path, "no slot to run it became free in time", "script_timeout")
        try:
            status, output = self._run(path, deadline.sooner(TIMEOUT_S))
        finally:
            self._slots.release()
        if status != 0:
            raise _failed(path, f"{_ending(status)}{_complaint(output)}", "script_failed")
        return _line(bytes(output.out), path)

    def _remark(self, path: str) -> None:
        with self._lock:
            is_new = path not in self._remarked
            self._remarked.add(path)
        if is_new:
            self._log.warning("credential_script_writable", path=path)

    def _run(self, path: str, deadline: Deadline) -> tuple[int, _Output]:
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own program, without arguments or shell
                [path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", "") or "its path is not legal"
            raise _failed(path, f"it cannot be started: {reason}", "script_failed") from error
        with process:
            try:
                output = _collect(process, path, deadline)
            finally:
                _end_family(process)
            return process.wait(), output


def _check(path: str) -> bool:
    """Whether the script can be changed by others; raises ``CredentialError`` for a path that must not be run."""
    if ".." in path.split("/"):
        raise _failed(path, "its path may not contain '..'", "script_unusable")
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or "its path is not legal"
        raise _failed(path, reason, "script_unusable") from error
    if not stat.S_ISREG(status.st_mode):
        raise _failed(path, "it is not a regular file", "script_unusable")
    if not os.access(path, os.X_OK):
        raise _failed(path, "it is not executable by this process", "script_unusable")
    is_open = bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return is_open and not os.statvfs(path).f_flag & os.ST_RDONLY


def _collect(process: subprocess.Popen[bytes], path: str, deadline: Deadline) -> _Output:
    """Everything that the program writes until it ends; raises ``CredentialError`` when that is too late or too much.

    The program is not reaped: as long as it is there, its number cannot become that of somebody else's group.
    """
    output = _Output()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((process.stdout, output.out), (process.stderr, output.err)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, kept)
        while True:
            has_ended = _has_ended(process)
            heard = _read_ready(selector, 0.0 if has_ended else min(_TICK_S, deadline.remaining_s()))
            if len(output.out) > MAX_OUTPUT_BYTES:
                raise _failed(path, f"it prints more than {MAX_OUTPUT_BYTES // 1024} KiB", "script_output")
            if has_ended and not heard:
                return output
            if deadline.has_passed:
                raise _failed(path, f"it did not end in time, {TIMEOUT_S:.0f} s at most", "script_timeout")


def _read_ready(selector: selectors.BaseSelector, timeout_s: float) -> bool:
    """Read what is there, at most for ``timeout_s``; whether anything was."""
    heard = False
    for key, _ in selector.select(timeout_s):
        stream: IO[bytes] = key.fileobj  # type: ignore[assignment]  # what was registered
        chunk = os.read(stream.fileno(), 64 * 1024)
        if not chunk:
            selector.unregister(stream)
            continue
        heard = True
        kept: bytearray = key.data
        kept += chunk
        if len(kept) > 2 * MAX_OUTPUT_BYTES:
            del kept[2 * MAX_OUTPUT_BYTES :]
    return heard


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_family(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the session, before the program itself is reaped."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Nothing is left, or only what has taken another user's rights and is beyond ours.
        return


def _line(out: bytes, path: str) -> str:
    try:
        text = out.decode("utf-8")
    except UnicodeDecodeError:
        # Without the cause, which holds the bytes.
        raise _failed(path, "its output is not UTF-8 text", "script_output") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if not line:
        raise _failed(path, "it prints nothing", "script_output")
    if len(line.splitlines()) > 1:
        raise _failed(path, "it prints more than one line", "script_output")
    return line


def _ending(status: int) -> str:
    return f"it was ended by signal {-status}" if status < 0 else f"it ends with status {status}"


def _complaint(output: _Output) -> str:
    """What the program says on its error stream, without anything that it printed as credentials."""
    printed = output.out.decode("utf-8", "replace")
    words = {part for line in printed.splitlines() for part in (line, *line.split(":", 1)) if len(part) > 2}
    said = redact(output.err[:MAX_COMPLAINT_BYTES].decode("utf-8", "replace"), sorted(words, key=len, reverse=True))
    said = cap_text(said, MAX_COMPLAINT_BYTES)
    return f": {said}" if said else ""


def _failed(path: str, what: str, code: str) -> CredentialError:
    return CredentialError(
        f"the script gives no credentials: {what}",
        where=f"ext:{path}",
        hint="it must print user:password on one line and end with status 0",
        code=code,
    )
