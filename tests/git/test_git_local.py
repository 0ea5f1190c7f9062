"""Repositories on this machine, and pairs that differ in letter case only: what is written, and who runs what."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.git.bench import Bench, BenchOptions, Connect, intent_for
from tests.git.http_server import HttpServer
from updater.git.options import Admission, GitOptions
from updater.model.changes import WriteOutcome
from updater.model.git_prefixes import parse_git_prefix
from updater.playground.git_remote import BareRepository

Make = Callable[..., Bench]
_VALUES = {"apps/shop/values.yaml": "image:\n  tag: 1.0.0\n", "apps/other/values.yaml": "image:\n  tag: 1.0.0\n"}
_WRITTEN = ("", WriteOutcome.WRITTEN)


def _made(folder: Path) -> BareRepository:
    repository = BareRepository(folder)
    repository.commit(_VALUES)
    return repository


def test_a_local_repository_is_written_below_the_allowed_folders_only(make_bench: Make, tmp_path: Path) -> None:
    allowed, longer = _made(tmp_path / "git" / "a.git"), _made(tmp_path / "git-private" / "a.git")
    admission = Admission(allows_local=True, prefixes=(parse_git_prefix(f"{tmp_path}/git/"),))
    bench = make_bench(BenchOptions(git=GitOptions(admission=admission)))
    good, bad = bench.write(intent_for(str(allowed.folder), "1.1.0"), intent_for(str(longer.folder), "1.1.0"))
    assert (good.error, good.outcome) == _WRITTEN
    assert "tag: 1.1.0" in allowed.read("apps/shop/values.yaml")
    assert bad.error_code == "repo_url_refused"
    assert "--git-allowed-repositories" in bad.error
    assert longer.count() == 1


def test_a_path_and_its_url_are_one_repository_and_one_push(make_bench: Make, tmp_path: Path) -> None:
    repository = _made(tmp_path / "Deploy.git")
    url, path = f"file://{str(tmp_path).replace('p', '%70')}/Deploy", f"{tmp_path}//Deploy.git/"
    results = make_bench().write(intent_for(url, "1.1.0"), intent_for(path, "1.1.0", app="other"))
    assert [(result.error, result.outcome) for result in results] == [_WRITTEN] * 2
    assert repository.count() == 2


def test_git_decodes_a_url_and_no_path(make_bench: Make, tmp_path: Path) -> None:
    _made(tmp_path / "A b.git")
    bench = make_bench()
    assert bench.write_one(intent_for(f"file://{tmp_path}/A%20b.git", "1.1.0")).outcome is WriteOutcome.WRITTEN
    assert bench.write_one(intent_for(f"{tmp_path}/A%20b.git", "1.1.0")).error_code == "repo_not_found"


def test_hooks_of_a_local_repository_run_here_and_are_told_nothing(make_bench: Make, tmp_path: Path) -> None:
    repository = _made(tmp_path / "a.git")
    seen = tmp_path / "seen"
    repository.add_hook("post-receive", f'env >{seen}; id -u >>{seen}; ls -A "$HOME" >>{seen}')
    planted = {"ARGOCD_TOKEN": "planted-1", "GIT_PASSWORD": "planted-2", "SSH_AUTH_SOCK": "/planted-3"}
    result = make_bench(BenchOptions(environment=planted)).write_one(intent_for(repository.url, "1.1.0"))
    assert (result.error, result.outcome) == _WRITTEN
    lines = seen.read_text().splitlines()
    assert lines[-1] == str(os.getuid()), "the folder of HOME is empty"
    assert f"HOME={os.environ['HOME']}" not in lines
    assert not [line for line in lines if "planted" in line]


@pytest.fixture
def strangers_git(tmp_path: Path) -> Path:
    """The real git, to which every repository belongs to somebody else; its system configuration is ``system``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "git"
    settings = f"GIT_TEST_ASSUME_DIFFERENT_OWNER=1 GIT_CONFIG_SYSTEM={tmp_path}/system"
    program.write_text(f'#!/bin/sh\n{settings} exec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    (tmp_path / "system").touch()
    return folder


def test_a_repository_of_another_user_is_written_when_the_system_trusts_it(
    make_bench: Make, tmp_path: Path, strangers_git: Path
) -> None:
    repository = _made(tmp_path / "a.git")
    path = {"PATH": f"{strangers_git}{os.pathsep}{os.environ['PATH']}"}
    bench = make_bench(BenchOptions(environment=path))
    refused = bench.write_one(intent_for(repository.url, "1.1.0"))
    assert refused.error_code == "repo_untrusted"
    assert "safe.directory in /etc/gitconfig" in refused.error
    assert "--global" not in refused.error
    (tmp_path / "system").write_text(f"[safe]\n\tdirectory = {repository.folder}\n")
    result = bench.write_one(intent_for(repository.url, "1.1.0"))
    assert (result.error, result.outcome) == _WRITTEN


def test_what_git_says_of_a_checkout_reaches_the_owner(make_bench: Make, tmp_path: Path) -> None:
    repository = _made(tmp_path / "a.git")
    repository.git("clone", "-q", ".", str(tmp_path / "checkout"))
    result = make_bench().write_one(intent_for(str(tmp_path / "checkout"), "1.1.0"))
    assert result.error_code == "push_denied"
    assert "branch is currently checked out" in result.error


def test_local_repositories_that_differ_in_letter_case_are_written_apart(make_bench: Make, tmp_path: Path) -> None:
    _check_pair(make_bench(), _made(tmp_path / "team" / "Deploy.git"), _made(tmp_path / "team" / "deploy.git"), str)


@pytest.mark.wire
def test_repositories_of_a_server_that_differ_in_letter_case_are_written_apart(
    http: HttpServer, root: Path, connect: Connect
) -> None:
    upper, lower = _made(root / "case" / "Deploy.git"), _made(root / "case" / "deploy.git")
    bench = connect(http.login(http.url("CASE/")))
    _check_pair(bench, upper, lower, lambda folder: http.url(f"case/{folder.name}"))


def _check_pair(bench: Bench, upper: BareRepository, lower: BareRepository, address: Callable[[Path], str]) -> None:
    """One round for both, then one for one of them alone: each finds its own tag, and nothing of the other."""
    first, second = bench.write(
        intent_for(address(upper.folder), "1.1.0"), intent_for(address(lower.folder), "1.2.0", app="other")
    )
    assert (first.error, first.outcome) == (second.error, second.outcome) == _WRITTEN
    again = bench.write_one(intent_for(address(lower.folder), "1.3.0"))
    assert (again.error, again.outcome) == _WRITTEN
    assert ("1.1.0" in upper.read("apps/shop/values.yaml"), upper.count()) == (True, 2)
    assert ("1.3.0" in lower.read("apps/shop/values.yaml"), lower.count()) == (True, 3)
    assert "1.2.0" in lower.read("apps/other/values.yaml")
    assert "1.0.0" in upper.read("apps/other/values.yaml")
