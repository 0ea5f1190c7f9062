"""Mirrors on disk: kept, bounded, swept up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from updater.clock import Deadline, SystemClock
from updater.errors import GitError
from updater.git.mirrors import MirrorStore
from updater.git.workplaces import PREFIX, private_folder, sweep_leftovers
from updater.ports.log import NullLog

_CLOCK = SystemClock()


def _store(folder: Path | None, max_bytes: int = 10**9) -> MirrorStore:
    return MirrorStore(folder, max_bytes, NullLog())


def _fill(store: MirrorStore, remote: str, size: int, credentials: str = "repocreds") -> Path:
    with store.use(remote, credentials) as mirror:
        with mirror.changing(Deadline.after(_CLOCK, 5)):
            mirror.prepare()
        (mirror.folder / "objects" / "pack" / "x.pack").write_bytes(b"x" * size)
        return mirror.folder


def test_a_mirror_is_never_shared_between_credentials(tmp_path: Path) -> None:
    store = _store(tmp_path)
    assert _fill(store, "h.test/a", 1) != _fill(store, "h.test/a", 1, "secret:team/git")
    assert _fill(store, "h.test/a", 1) == _fill(store, "h.test/a", 1)
    store.close()


def test_the_longest_unused_mirrors_go_first_and_used_ones_stay(tmp_path: Path) -> None:
    store = _store(tmp_path, max_bytes=250)
    oldest = _fill(store, "a", 100)
    with store.use("a", "repocreds"):
        middle, newest = _fill(store, "b", 100), _fill(store, "c", 100)
        assert [oldest.exists(), middle.exists(), newest.exists()] == [True, False, True]
    store.close()


def test_mirrors_are_private(tmp_path: Path) -> None:
    store = _store(tmp_path / "cache")
    folder = _fill(store, "a", 1)
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
    assert git_accepts(folder)
    store.close()


def test_an_unfinished_file_that_goes_meanwhile_is_none(tmp_path: Path) -> None:
    store = _store(tmp_path)
    folder = _fill(store, "a", 1)
    (folder / "objects" / "pack" / "tmp_pack_gone").symlink_to("gone")
    with store.use("a", "repocreds") as mirror:
        assert not mirror.has_unfinished(1)
        (folder / "objects" / "pack" / "tmp_pack_here").write_bytes(b"x")
        assert mirror.has_unfinished(1)
    store.close()


def git_accepts(folder: Path) -> bool:
    done = subprocess.run(["git", "--git-dir", str(folder), "rev-parse", "--is-bare-repository"], capture_output=True)  # noqa: PLW1510 - the answer is looked at
    return done.stdout == b"true\n"


def test_private_mirrors_are_removed_at_the_end() -> None:
    store = _store(None)
    folder = _fill(store, "a", 1)
    store.close()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GitError) as raised:
        _store(tmp_path / "file" / "cache")
    assert raised.value.code == "disk_failed"


def test_waiting_for_another_fetch_ends_at_the_deadline(tmp_path: Path) -> None:
    store = _store(tmp_path)
    with store.use("a", "repocreds") as mirror, mirror.changing(Deadline.after(_CLOCK, 5)):
        with pytest.raises(GitError) as raised, mirror.changing(Deadline.after(_CLOCK, 0.05)):
            pass
        assert raised.value.code == "timeout"
    store.close()


def test_folders_of_processes_that_are_gone_are_swept_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.run(
        [sys.executable, "-S", "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    left = tmp_path / f"{PREFIX}{int(gone.stdout)}-abc"
    before_restart = tmp_path / f"{PREFIX}{os.getpid()}-01234567-abc"
    others = [tmp_path / f"{PREFIX}{os.getppid()}-abc", tmp_path / f"{PREFIX}x-abc", tmp_path / "something-1-abc"]
    link = tmp_path / f"{PREFIX}{int(gone.stdout)}-link"
    for folder in (left, before_restart, *others):
        folder.mkdir()
    link.symlink_to(others[2])
    with private_folder() as used:
        assert {left, before_restart} <= set(sweep_leftovers())
        assert not left.exists()
        assert not before_restart.exists()
        assert all(folder.exists() for folder in (*others, link, used))


def test_a_private_folder_is_gone_after_a_failure() -> None:
    with pytest.raises(KeyError), private_folder() as folder:
        (folder / "key").write_text("secret")
        assert folder.stat().st_mode & 0o077 == 0
        raise KeyError
    assert not folder.exists()
