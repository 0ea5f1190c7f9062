"""Sessions on one mirror that meet each other."""

from __future__ import annotations

from tests.git.bench import Bench, intent_for
from updater.clock import Deadline
from updater.model.git_targets import GitTarget
from updater.playground.git_remote import BareRepository


def _target(remote: BareRepository) -> GitTarget:
    return intent_for(remote.url, "1.1.0").target


def test_a_commit_that_came_under_the_name_of_another_branch_is_enough(remote: BareRepository, bench: Bench) -> None:
    remote.git("branch", "other", "main")
    target, deadline = _target(remote), Deadline.after(bench.clock, 20)
    with (
        bench.remotes.open(target, "argocd", deadline) as first,
        bench.remotes.open(target, "argocd", deadline) as second,
    ):
        second.fetch_commit("main", remote.tip())
        assert first.fetch_commit("other", remote.tip()).commit == remote.tip()


def test_a_commit_that_went_with_its_mirror_is_not_in_what_was_fetched_since(
    remote: BareRepository, bench: Bench
) -> None:
    with bench.remotes.open(_target(remote), "argocd", Deadline.after(bench.clock, 20)) as session:
        content = session.fetch_commit("main", remote.tip())
        assert not session.contains(content.commit, "0123456789abcdef0123456789abcdef01234567")
        assert session.contains(content.commit, content.commit)
