"""Commits that git does not make: what is said, and that nothing but the batch pays for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.bench import BenchOptions, Make, intent_for
from tests.git.refusing_git import refusing_git
from updater.git.options import Admission, Committer, GitOptions, Signing, SigningMethod
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository


def _committed_by(committer: Committer) -> GitOptions:
    return GitOptions(committer=committer, admission=Admission(allows_local=True))


@pytest.mark.parametrize(
    "signing",
    [
        pytest.param(None, id="unsigned"),
        # The key is never come to: git looks at the name first.
        pytest.param(Signing(SigningMethod.SSH, "key::nobody's"), id="signed", marks=pytest.mark.slow),
    ],
)
def test_a_name_that_git_refuses_fails_the_commit(
    remote: BareRepository, make_bench: Make, signing: Signing | None
) -> None:
    before = remote.tip()
    git = _committed_by(Committer("<>", signing=signing))
    result = make_bench(BenchOptions(git=git)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.outcome, result.error_code, result.commit) == (WriteOutcome.FAILED, "commit_failed", "")
    assert result.error.startswith("argocd/shop: the commit cannot be made: fatal: name consists only of disallowed")
    assert "--git-commit-user" in result.error
    assert (remote.tip(), result.attempts) == (before, 0), "it is not tried again: somebody has to mend it"


def test_a_commit_that_fails_on_one_remote_costs_no_other(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    other = BareRepository(tmp_path / "other.git")
    other.commit({"apps/else/values.yaml": "image:\n  tag: 1.0.0\n"})
    before = remote.tip()
    bench = make_bench(BenchOptions(environment=refusing_git(tmp_path, "commit-tree", before)))
    refused, beside, made = bench.write(
        intent_for(remote.url, "1.1.0"),
        intent_for(remote.url, "1.1.0", app="beside", path="apps/shop/values.yaml"),
        intent_for(other.url, "1.1.0", app="else"),
    )
    assert [each.error_code for each in (refused, beside, made)] == ["commit_failed", "commit_failed", ""]
    assert "it was not meant to be" in refused.error
    assert (remote.tip(), made.commit) == (before, other.tip())

    # The cause belongs to that commit: once the branch has moved on, the change is made.
    remote.commit({"theirs": "yes"})
    assert bench.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN


@pytest.mark.slow
def test_a_sign_off_that_cannot_be_added_fails_the_commit(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    before = remote.tip()
    git = _committed_by(Committer("Bot", signs_off=True))
    environment = refusing_git(tmp_path, "interpret-trailers", "Signed-off-by:")
    result = make_bench(BenchOptions(git=git, environment=environment)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error_code, remote.tip()) == ("commit_failed", before)
    assert "the sign-off cannot be added: fatal: it was not meant to be" in result.error


@pytest.mark.slow
def test_a_mirror_that_is_gone_is_fetched_again_instead(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    git = GitOptions(cache_folder=tmp_path / "cache", admission=Admission(allows_local=True))
    environment = refusing_git(tmp_path, "commit-tree", remote.tip(), "fatal: not a git repository: 'mirror'")
    result = make_bench(BenchOptions(git=git, environment=environment)).write_one(intent_for(remote.url, "1.1.0"))
    assert result.error_code == "mirror_damaged", "it says so for as long as it happens"
    (tmp_path / "bin" / "git").unlink()
    again = make_bench(BenchOptions(git=git)).write_one(intent_for(remote.url, "1.1.0"))
    assert again.outcome is WriteOutcome.WRITTEN
