"""Which git is good enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import GitError
from updater.git.processes import ProcessLimits, ProcessRunner
from updater.git.version import GitVersion, parse_version

_CLOCK = SystemClock()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("git version 2.39.5\n", (2, 39)),
        ("git version 2.50.1 (Apple Git-155)\n", (2, 50)),
        ("git version 3.0.rc1\n", (3, 0)),
    ],
)
def test_a_version_is_read(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("answer", ["git version 2.31.8", "git version 1.99.0", "usage: git", ""])
def test_a_git_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    runner = ProcessRunner(ProcessLimits(), _CLOCK)
    with pytest.raises(GitError) as raised:
        GitVersion(runner, {"PATH": f"{tmp_path}:/bin:/usr/bin"}).check(Deadline.after(_CLOCK, 10))
    assert raised.value.code == "git_missing"


def test_the_installed_git_is_asked_once() -> None:
    version = GitVersion(ProcessRunner(ProcessLimits(), _CLOCK), {"PATH": "/bin:/usr/bin"})
    version.check(Deadline.after(_CLOCK, 10))
    version.check(Deadline.after(_CLOCK, 0))
