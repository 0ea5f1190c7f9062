"""Disks that fill up at any moment of a batch: what is said, what is left behind, and what works once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.bench import Bench, BenchOptions, Make, RecordingLog, intent_for
from updater.errors import GitError
from updater.git.askpass import AskPass, Login
from updater.git.options import Admission, FetchMode, GitOptions
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.ports.log import NullLog
from updater.transport.redaction import Secret

PAGE_KIB = 4
"""What the smallest file takes of a file system in memory."""


class SmallDisk:
    """A file system in memory with as many pages as a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def resize(self, pages: int) -> None:
        words = ["mount", "-t", "tmpfs", "-o", f"nr_inodes=0,size={pages * PAGE_KIB}k", "tmpfs", str(self.folder)]
        if self.folder.is_mount():
            words[4] += ",remount"
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"needs the right to mount a small file system: {done.stderr.strip()}")

    def forbid_programs(self) -> None:
        words = ["mount", "-t", "tmpfs", "-o", "noexec,size=1m", "tmpfs", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"needs the right to mount a file system: {done.stderr.strip()}")

    def unmount(self) -> None:
        """Give it back; fails when this process still has a file of it open."""
        if self.folder.is_mount():
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.unmount()


@pytest.fixture
def remote(remote: BareRepository) -> BareRepository:
    remote.commit({"large": os.urandom(100 * 1024)})
    return remote


def _options(cache: Path, mode: FetchMode) -> GitOptions:
    return GitOptions(cache_folder=cache, mode=mode, admission=Admission(allows_local=True))


def _fill_and_make_room(disk: SmallDisk, remote: BareRepository, bench: Bench, tag: str) -> str:
    """One write that has to do with the room there is, and one with enough; the code of the first."""
    before = remote.count()
    result = bench.write_one(intent_for(remote.url, tag))
    assert result.error_code in ("", "disk_failed"), result.error
    assert remote.count() == before + (result.outcome is WriteOutcome.WRITTEN)
    assert list(disk.folder.rglob("*tmp_*")) == []
    disk.resize(10_000)
    bench.write_one(intent_for(remote.url, tag))
    assert remote.count() == before + 1
    assert f"tag: {tag}" in remote.read("apps/shop/values.yaml")
    return result.error_code


def test_a_full_disk_is_named_and_forgotten_once_there_is_room(
    remote: BareRepository, make_bench: Make, disk: SmallDisk
) -> None:
    disk.resize(9)
    bench = make_bench(BenchOptions(git=_options(disk.folder / "cache", FetchMode.PARTIAL)))
    assert _fill_and_make_room(disk, remote, bench, "1.1.0") == "disk_failed"
    bench.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(FetchMode), ids=lambda mode: mode.value)
def test_a_disk_that_fills_up_at_any_moment_is_named(
    remote: BareRepository, make_bench: Make, disk: SmallDisk, mode: FetchMode
) -> None:
    log, seen = RecordingLog(), Counter[str]()
    for pages in (*range(1, 16), 60):
        disk.resize(pages)
        bench = make_bench(BenchOptions(git=_options(disk.folder / "cache", mode), log=log))
        seen[_fill_and_make_room(disk, remote, bench, f"1.1.{pages}")] += 1
        bench.close()
        disk.unmount()
    assert seen["disk_failed"] >= 8
    assert seen[""] >= 1
    assert "bug_found" not in log.events


def test_a_file_that_may_not_grow_is_named_as_the_disk(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nulimit -f 1\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    options = BenchOptions(git=_options(tmp_path / "cache", FetchMode.PARTIAL), environment=environment)
    assert make_bench(options).write_one(intent_for(remote.url, "1.1.0")).error_code == "disk_failed"


def test_a_temporary_folder_that_is_gone_is_named(
    remote: BareRepository, make_bench: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = RecordingLog()
    bench = make_bench(BenchOptions(git=_options(tmp_path / "cache", FetchMode.PARTIAL), log=log))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert bench.write_one(intent_for(remote.url, "1.1.0")).error_code == "disk_failed"
    assert "bug_found" not in log.events


def test_a_temporary_folder_where_no_program_may_run_is_named(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.forbid_programs()
    monkeypatch.setattr("tempfile.tempdir", str(disk.folder))
    questions = AskPass(NullLog())
    login = Login("https", "h.test", "bot", Secret("pass word"))
    with pytest.raises(GitError, match="mount it without noexec") as caught, questions.registered(login):
        pass
    assert (caught.value.code, caught.value.where) == ("disk_failed", str(disk.folder))
    assert list(disk.folder.iterdir()) == []
    questions.close()


def test_a_full_disk_of_the_remote_is_tried_again(remote: BareRepository, make_bench: Make, disk: SmallDisk) -> None:
    disk.resize(300)
    small = BareRepository(disk.folder / "remote.git")
    small.commit({"apps/shop/values.yaml": "image:\n  tag: 1.0.0\n"})
    (disk.folder / "ballast").write_bytes(bytes(shutil.disk_usage(disk.folder).free))
    log = RecordingLog(lambda event: disk.resize(600) if event == "git_push_ended" else None)
    result = make_bench(BenchOptions(log=log)).write_one(intent_for(small.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert log.events.count("git_push_ended") == 2
    assert small.count() == 2
