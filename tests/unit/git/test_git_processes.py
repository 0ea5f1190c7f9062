"""Child processes: output, deadlines, groups, environment."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.git.programs import has_ended
from updater.clock import Deadline, SystemClock
from updater.errors import GitError
from updater.git.environment import CONFIGURATION, environment_for
from updater.git.file_limits import limit_files
from updater.git.processes import Command, Finished, ProcessLimits, ProcessRunner, arguments_of

_CLOCK = SystemClock()


def _run(script: str, *, stdin: bytes = b"", within_s: float = 20.0, limits: ProcessLimits | None = None) -> Finished:
    runner = ProcessRunner(limits or ProcessLimits(), _CLOCK)
    command = Command((sys.executable, "-S", "-c", script), Path("/"), {"PATH": "/usr/bin:/bin"}, stdin)
    return runner.run(command, Deadline.after(_CLOCK, within_s))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_status_and_input_are_passed() -> None:
    done = _run(
        "import sys; d = sys.stdin.read(); print(d.upper()); print('no', file=sys.stderr); sys.exit(3)", stdin=b"x"
    )
    assert (done.status, done.stdout, done.complaint) == (3, b"X\n", "no")


def test_large_input_and_output_do_not_block_each_other() -> None:
    content = b"0123456789abcdef" * 65_536
    done = _run("import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)", stdin=content)
    assert done.stdout == content


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
@pytest.mark.parametrize(("size", "status"), [(1000, 0), (1001, -signal.SIGXFSZ)])
def test_a_file_that_grows_too_long_is_the_end(tmp_path: Path, size: int, status: int) -> None:
    script = f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); open('f', 'wb').write(b'x' * {size})"
    command = Command((sys.executable, "-S", "-c", script), tmp_path, {}, max_file_bytes=1000)
    assert ProcessRunner(ProcessLimits(), _CLOCK).run(command, Deadline.after(_CLOCK, 20.0)).status == status


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
def test_a_limit_reaches_what_the_child_started_before() -> None:
    script = ("sh", "-c", "sh -c 'sleep 1000 & echo $!; wait' & wait")
    with subprocess.Popen(script, stdout=subprocess.PIPE, start_new_session=True) as child:
        try:
            assert child.stdout is not None
            grandchild = int(child.stdout.readline())
            limit_files(child.pid, 1000)
            found = [resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] for pid in (child.pid, grandchild)]
        finally:
            os.killpg(child.pid, signal.SIGKILL)
    assert found == [1000, 1000]


def test_a_child_that_does_not_read_its_input_is_no_failure() -> None:
    assert _run("print('done')", stdin=b"x" * 1_000_000).stdout == b"done\n"


@pytest.mark.parametrize(
    ("prelude", "within_s"),
    [
        pytest.param("", 0.3, id="ends when asked"),
        pytest.param("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);", 0.3, id="has to be killed"),
        pytest.param("import os; os.close(1); os.close(2);", 0.3, id="has closed its streams"),
    ],
)
def test_a_hung_child_ends_at_the_deadline(tmp_path: Path, prelude: str, within_s: float) -> None:
    pid_file = tmp_path / "pid"
    script = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); {prelude} time.sleep(1000)"
    began = time.monotonic()
    with pytest.raises(GitError) as raised:
        _run(script, within_s=within_s, limits=ProcessLimits(fatal_s=0.3))
    assert raised.value.code == "timeout"
    assert raised.value.retryable
    assert time.monotonic() - began < 30
    # It may not have come so far as to write its id.
    pid = pid_file.read_text() if pid_file.exists() else ""
    assert not pid or not _alive(int(pid))


def test_the_soft_limit_holds_where_the_deadline_is_far() -> None:
    with pytest.raises(GitError):
        _run("import time; time.sleep(1000)", limits=ProcessLimits(soft_s=0.2, fatal_s=0.2))


def test_a_grandchild_does_not_survive_a_normal_end(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(1000)']);"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid)); print('parent ends')"
    )
    assert _run(script).stdout == b"parent ends\n"
    assert has_ended(int(pid_file.read_text()))


def test_too_much_output_ends_the_child() -> None:
    with pytest.raises(GitError) as raised:
        _run("while True: print('x' * 1000)", limits=ProcessLimits(fatal_s=0.3, max_output_bytes=100_000))
    assert raised.value.code == "output_too_large"


def test_a_missing_program_is_named() -> None:
    runner = ProcessRunner(ProcessLimits(), _CLOCK)
    with pytest.raises(GitError) as raised:
        runner.run(Command(("no-such-git", "x"), Path("/"), {}), Deadline.after(_CLOCK, 5))
    assert raised.value.code == "git_missing"


def test_a_complaint_shows_no_credentials() -> None:
    done = Finished(
        1, b"", b"fatal: unable to access 'https://bot:hunter2@h.test/a': Authorization: Bearer abcdefghijk"
    )
    assert "hunter2" not in done.complaint
    assert "abcdefghijk" not in done.complaint


def test_a_child_that_was_killed_in_silence_is_told_apart_from_one_that_failed() -> None:
    assert _run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").complaint == "it died of signal 9"
    assert _run("import sys; sys.exit(1)").complaint == ""


def test_the_environment_is_a_list_of_what_may_pass() -> None:
    inherited = {
        "PATH": "/bin",
        "ARGOCD_TOKEN": "t",
        "GIT_DIR": "/other",
        "GIT_CONFIG_COUNT": "1",
        "GIT_TRACE_CURL": "1",
        "SSH_AUTH_SOCK": "/agent",
        "LD_PRELOAD": "/evil.so",
        "https_proxy": "http://proxy:1",
    }
    environment = environment_for(inherited, home=Path("/home"), repository=Path("/mirror"))
    assert {"PATH", "GIT_TRACE_CURL", "https_proxy"} <= set(environment)
    assert not {"ARGOCD_TOKEN", "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK", "LD_PRELOAD"} & set(environment)
    assert environment["GIT_DIR"] == "/mirror"
    assert environment["GIT_CONFIG_GLOBAL"] == "/dev/null"
    assert environment["GIT_TERMINAL_PROMPT"] == "0"


def test_foreign_protocols_and_hooks_are_off() -> None:
    words = arguments_of("push", configuration=CONFIGURATION)
    assert {"core.hooksPath=/dev/null", "protocol.ext.allow=never", "protocol.allow=never"} <= set(words)
    assert not any(word.startswith("protocol.file.allow") for word in words)
    assert Command(words, Path("/"), {}).name == "git push"


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param("", id="with open streams"),
        pytest.param("import os; os.close(1); os.close(2);", id="with closed streams"),
    ],
)
def test_a_child_ends_when_the_updater_has_no_more_time(tmp_path: Path, prelude: str) -> None:
    abandoned, pipe = threading.Event(), tmp_path / "pid"
    os.mkfifo(pipe)
    script = f"import os, time; open({str(pipe)!r}, 'w').write(str(os.getpid())); {prelude} time.sleep(1000)"
    command = Command((sys.executable, "-S", "-c", script), Path("/"), {"PATH": "/usr/bin:/bin"})
    pids: list[int] = []

    def abandon() -> None:
        pids.append(int(pipe.read_text()))
        abandoned.set()

    watcher = threading.Thread(target=abandon)
    watcher.start()
    runner = ProcessRunner(ProcessLimits(), _CLOCK, abandoned)
    with pytest.raises(GitError) as caught:
        runner.run(command, Deadline.after(_CLOCK, 50))
    watcher.join()
    assert (caught.value.code, caught.value.retryable) == ("shutting_down", False)
    assert not _alive(pids[0])
    with pytest.raises(GitError, match="shutting down"):
        runner.run(command, Deadline.after(_CLOCK, 50))
