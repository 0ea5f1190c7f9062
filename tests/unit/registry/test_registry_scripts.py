"""External scripts: what they get, what they may do, and what is left of them."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.ports.log import NullLog
from updater.registry.scripts import MAX_OUTPUT_BYTES, ScriptRunner

CLOCK = SystemClock()
Write = Callable[[str], str]


class Warnings(NullLog):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, event: str, /, **fields: Any) -> None:
        self.lines.append(f"{event} {fields['path']}")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a shell script of a body; returns its path."""

    def make(body: str) -> str:
        path = tmp_path / "login.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return make


def run(path: str, environment: dict[str, str] | None = None, within_s: float = 30.0) -> str:
    runner = ScriptRunner({"PATH": os.defpath, **(environment or {})}, CLOCK, NullLog())
    return runner.run(path, Deadline.after(CLOCK, within_s))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param("echo ann:pw", "ann:pw", id="line"),
        pytest.param("printf ann:pw", "ann:pw", id="no line end"),
        pytest.param("printf 'ann:pw\\r\\n'", "ann:pw", id="line end of Windows"),
        pytest.param("echo 'ann: p w '", "ann: p w ", id="blanks are the password's"),
        pytest.param("echo ann:pw; echo a warning >&2", "ann:pw", id="error stream"),
        pytest.param("exec >&-; exec 2>&-; exit 0", "", id="closed streams"),
    ],
)
def test_a_script_prints_one_line(write: Write, body: str, line: str) -> None:
    if line:
        assert run(write(body)) == line
    else:
        with pytest.raises(CredentialError, match="prints nothing"):
            run(write(body))


@pytest.mark.parametrize(
    ("body", "said", "code"),
    [
        pytest.param("echo ann:hunter2; exit 3", "it ends with status 3$|status 3;", "script_failed", id="status"),
        pytest.param("echo ann:hunter2; kill -9 $$", "ended by signal 9", "script_failed", id="signal"),
        pytest.param("echo ann:hunter2; echo again", "more than one line", "script_output", id="two lines"),
        pytest.param("true", "prints nothing", "script_output", id="nothing"),
        pytest.param("echo", "prints nothing", "script_output", id="empty line"),
        pytest.param("printf 'ann:\\377'", "not UTF-8", "script_output", id="no UTF-8"),
        pytest.param("yes hunter2", "more than 64 KiB", "script_output", id="endless output"),
    ],
)
def test_anything_else_gives_no_credentials(write: Write, body: str, said: str, code: str) -> None:
    with pytest.raises(CredentialError, match=said) as raised:
        run(write(body))
    assert raised.value.code == code
    assert "hunter2" not in str(raised.value)


def test_the_largest_output_is_accepted(write: Write) -> None:
    line = run(write(f"printf 'ann:'; head -c {MAX_OUTPUT_BYTES - 4} /dev/zero | tr '\\0' x"))
    assert len(line) == MAX_OUTPUT_BYTES


def test_the_error_stream_explains_a_failure_without_secrets(write: Write) -> None:
    body = """echo ann:hunter2
    echo "login of hunter2 refused" >&2
    echo "Authorization: Bearer abcdefghijk https://me:letmein@host/x" >&2
    head -c 100000 /dev/zero | tr '\\0' x >&2
    exit 1"""
    with pytest.raises(CredentialError, match=r"login of \S+ refused") as raised:
        run(write(body))
    said = str(raised.value)
    assert len(said) < 1500
    for secret in ("hunter2", "abcdefghijk", "letmein"):
        assert secret not in said


def test_a_script_gets_the_environment_without_our_own_secrets(write: Write) -> None:
    environment = {
        "REGION": "here",
        "ARGOCD_TOKEN": "t1",
        "ARGOCD_AUTH_TOKEN": "t2",
        "QUAY_WEBHOOK_SECRET": "t3",
        "ARGOCD_HEADERS": "t4",
        "ARGOCD_SERVER": "there",
    }
    ours = "$ARGOCD_TOKEN$ARGOCD_AUTH_TOKEN$QUAY_WEBHOOK_SECRET$ARGOCD_HEADERS"
    line = run(write(f"echo u:$REGION-$ARGOCD_SERVER-{ours}"), environment)
    assert line == "u:here-there-"


def test_a_script_gets_no_input_and_no_arguments(write: Write) -> None:
    ours = os.dup(0)
    reading, writing = os.pipe()
    os.write(writing, b"typed\n")
    os.dup2(reading, 0)
    try:
        os.close(writing)
        assert run(write("echo u:$#$(cat)")) == "u:0"
    finally:
        os.dup2(ours, 0)
        os.close(ours)
        os.close(reading)


class ImpatientClock(SystemClock):
    """Time stands still until a file is there, and is over then."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def monotonic_s(self) -> float:
        return 1000.0 if self.path.exists() else 0.0


def test_time_is_up_for_the_whole_family(write: Write, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    clock = ImpatientClock(noted)
    runner = ScriptRunner({"PATH": os.defpath}, clock, NullLog())
    path = write(f"sleep 60 & echo $! >{noted}.new; mv {noted}.new {noted}; wait")
    with pytest.raises(CredentialError, match="did not end in time") as raised:
        runner.run(path, Deadline.after(clock, 30.0))
    assert raised.value.code == "script_timeout"
    assert _has_ended(int(noted.read_text()))


def test_children_that_outlive_the_script_are_ended(write: Write, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    assert run(write(f"sleep 60 & echo $! >{noted}; echo ann:pw")) == "ann:pw"
    assert _has_ended(int(noted.read_text()))


def _has_ended(pid: int) -> bool:
    """Whether a process ends soon; a killed one takes a moment, and may then wait for whoever adopted it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor, "rb") as process:
        return select.select([process], [], [], 20.0)[0] == [process]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/not/there", "No such file", id="missing"),
        pytest.param("/bin/../bin/true", "may not contain", id="dots"),
        pytest.param("/bin", "not a regular file", id="folder"),
        pytest.param("/etc/passwd", "not executable", id="not executable"),
        pytest.param("/a\0b", "not legal", id="zero"),
    ],
)
def test_a_path_that_must_not_be_run(path: str, said: str) -> None:
    with pytest.raises(CredentialError, match=said) as raised:
        run(path)
    assert raised.value.code == "script_unusable"


def test_a_program_that_does_not_start_says_so(write: Write) -> None:
    path = write("")
    Path(path).write_text("#!/not/an/interpreter\n")
    with pytest.raises(CredentialError, match="cannot be started"):
        run(path)


def test_a_script_that_others_may_write_is_remarked_once(write: Write) -> None:
    path, log = write("echo ann:pw"), Warnings()
    runner = ScriptRunner({"PATH": os.defpath}, CLOCK, log)
    runner.run(path, Deadline.after(CLOCK, 30.0))
    assert log.lines == []
    Path(path).chmod(0o775)
    for _ in range(2):
        runner.run(path, Deadline.after(CLOCK, 30.0))
    assert log.lines == [f"credential_script_writable {path}"]


def test_a_script_on_a_volume_that_nobody_writes_is_not_remarked(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path, log = write("echo ann:pw"), Warnings()
    Path(path).chmod(0o777)
    fields = list(os.statvfs(path))
    fields[8] |= os.ST_RDONLY
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(fields))
    ScriptRunner({"PATH": os.defpath}, CLOCK, log).run(path, Deadline.after(CLOCK, 30.0))
    assert log.lines == []


def test_no_more_than_four_run_at_once(write: Write, tmp_path: Path) -> None:
    started, gate = tmp_path / "started", tmp_path / "gate"
    os.mkfifo(started)
    path = write(f"echo . >{started}; while [ ! -e {gate} ]; do sleep 0.02; done; echo ann:pw")
    runner = ScriptRunner({"PATH": os.defpath}, CLOCK, NullLog())
    lines: list[str] = []
    threads = [
        threading.Thread(target=lambda: lines.append(runner.run(path, Deadline.after(CLOCK, 30.0)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    with os.fdopen(os.open(started, os.O_RDWR), "rb", buffering=0) as marks:
        for _ in range(4):
            assert marks.read(2) == b".\n"
    with pytest.raises(CredentialError, match="no slot") as raised:
        runner.run(path, Deadline.after(CLOCK, 0.1))
    assert raised.value.code == "script_timeout"
    gate.touch()
    for thread in threads:
        thread.join(30.0)
    assert lines == ["ann:pw"] * 4
