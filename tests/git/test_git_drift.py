"""Write branches that fall behind their base: what is said of them, how often, and what it costs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, Connect, Make, RecordingLog, intent_for
from tests.git.deadly_git import DeadlyGit
from tests.git.http_server import HttpServer
from updater.git.histories import MAX_BYTES
from updater.git.options import Admission, FetchMode, GitOptions
from updater.model.changes import WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.model.pull_requests import ForgeProvider, PullRequestSettings
from updater.playground.git_remote import BareRepository
from updater.telemetry.sentences import sentence
from updater.writeback.git_options import GitWriteOptions

LOCAL = GitOptions(admission=Admission(allows_local=True))


class Branches:
    """A repository, and a writer of many of its branches that notes what it was told."""

    def __init__(self, remote: BareRepository, url: str, bench: Bench, log: RecordingLog) -> None:
        self.remote, self.url, self.bench, self.log = remote, url, bench, log

    def write(self, tag: str, *branches: str) -> list[str]:
        """Write to each; the branches that were said to be behind."""
        began = len(self.log.records)
        results = self.bench.write(*(intent_for(self.url, tag, write_branch=branch) for branch in branches))
        assert {(result.error, result.outcome) for result in results} == {("", WriteOutcome.WRITTEN)}
        said = [fields for event, fields in self.log.records[began:] if event == "git_branch_behind"]
        return sorted(str(fields["branch"]) for fields in said)

    def move_base(self) -> None:
        """Somebody else's commit on the base."""
        self.remote.commit({"other": str(self.remote.count())}, message="theirs")

    def merge(self, branch: str, into: str) -> None:
        """A merge commit, as people and forges make it; the files of ``into`` stay."""
        tree = self.remote.git("rev-parse", f"{into}^{{tree}}").strip()
        merged = self.remote.git("commit-tree", tree, "-p", into, "-p", branch, "-m", "merge").strip()
        self.remote.git("update-ref", f"refs/heads/{into}", merged)


@pytest.fixture
def git(tmp_path: Path) -> DeadlyGit:
    """The program that all writers call; notes what it is asked for."""
    return DeadlyGit(tmp_path / "program")


@pytest.fixture
def world(remote: BareRepository, make_bench: Make, git: DeadlyGit) -> Branches:
    return fresh(remote, make_bench, git)


def fresh(
    remote: BareRepository,
    make_bench: Make,
    git: DeadlyGit,
    options: GitOptions = LOCAL,
    write: GitWriteOptions | None = None,
) -> Branches:
    """A writer that has seen nothing yet."""
    log = RecordingLog()
    write = write or GitWriteOptions(backoff=QUICK)
    bench = make_bench(BenchOptions(git=options, write=write, log=log, environment={"PATH": git.path}))
    return Branches(remote, remote.url, bench, log)


def history(world: Branches) -> None:
    """Branches in all relations to a base that has moved on."""
    for branch in ("behind", "taken-over", "brought-up", "long"):
        world.remote.git("branch", branch, "main")
        world.remote.commit({"own": branch}, branch=branch)
    world.move_base()
    world.merge("taken-over", "main")
    world.remote.git("branch", "level", "main")
    world.merge("main", "brought-up")
    for number in range(3):
        world.remote.commit({"own": str(number)}, branch="brought-up")


def test_only_branches_that_lack_commits_of_the_base_are_behind(world: Branches) -> None:
    history(world)
    said = world.write("1.1.0", "behind", "taken-over", "brought-up", "level", "new")
    assert said == ["behind", "taken-over"]


def test_a_branch_that_was_begun_here_costs_no_second_fetch(world: Branches, git: DeadlyGit) -> None:
    world.write("1.1.0", "kept", "brought-up")
    world.move_base()
    world.merge("main", "brought-up")
    before = git.asked.count("fetch")
    assert world.write("1.2.0", "kept", "brought-up") == ["kept"]
    assert git.asked.count("fetch") == before + 1, "of the branch that somebody else has merged into"


def test_it_is_said_once_for_each_state_of_the_base(world: Branches) -> None:
    world.remote.git("branch", "kept", "main")
    world.move_base()
    assert world.write("1.1.0", "kept") == ["kept"]
    assert world.write("1.2.0", "kept") == []
    world.move_base()
    assert world.write("1.3.0", "kept") == ["kept"]


@pytest.mark.slow
def test_the_record_says_what_it_means_and_what_to_do(world: Branches) -> None:
    world.remote.git("branch", "kept", "main")
    world.move_base()
    world.write("1.1.0", "kept")
    where = str(parse_git_remote(world.url))
    fields = next(fields for event, fields in world.log.records if event == "git_branch_behind")
    assert fields == {
        "repository": where,
        "branch": "kept",
        "base": "main",
        "commit": world.remote.tip(),
    }
    text, left = sentence("git_branch_behind", dict(fields))  # type: ignore[arg-type]  # all of them are texts
    assert text.startswith(f"Branch kept of {where} is behind main, ")
    assert left == fields


@pytest.mark.slow
def test_a_base_that_took_the_branch_over_is_level_with_it(world: Branches) -> None:
    world.write("1.1.0", "kept")
    world.remote.git("update-ref", "refs/heads/main", "kept")
    assert world.write("1.2.0", "kept") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "write"),
    [
        pytest.param(replace(LOCAL, mode=FetchMode.SHALLOW), None, id="shallow"),
        pytest.param(LOCAL, GitWriteOptions(backoff=QUICK, resets_write_branch=True), id="reset"),
    ],
)
def test_nothing_is_asked_where_it_cannot_be_told_or_cannot_be(
    remote: BareRepository, make_bench: Make, git: DeadlyGit, options: GitOptions, write: GitWriteOptions | None
) -> None:
    world = fresh(remote, make_bench, git, options, write)
    history(world)
    assert world.write("1.1.0", "behind") == []
    assert git.asked.count("fetch") == (1 if write is None else 2), "the tips, and what they are compared with"
    assert "merge-base" not in git.asked


@pytest.mark.slow
def test_a_round_that_writes_nothing_and_a_push_to_the_base_ask_nothing(world: Branches, git: DeadlyGit) -> None:
    history(world)
    (result,) = world.bench.write(intent_for(world.url, "1.0.0", write_branch="behind"))
    assert result.outcome is WriteOutcome.UNCHANGED
    world.write("1.1.0", "")
    assert git.asked.count("fetch") == 2, "one for each branch"
    assert world.log.events.count("git_branch_compared") == 0


@pytest.mark.slow
def test_the_head_of_a_pull_request_falls_behind_as_well(world: Branches) -> None:
    history(world)
    for names_own_branches in (False, True):
        settings = PullRequestSettings(ForgeProvider.GITHUB, names_own_branches=names_own_branches)
        intent = intent_for(world.url, f"1.{names_own_branches:d}.7", write_branch="behind")
        asked = replace(intent, target=replace(intent.target, pull_request=settings))
        (result,) = world.bench.write(asked)
        assert result.outcome is WriteOutcome.WRITTEN
    assert world.log.events.count("git_branch_behind") == 1, "a branch under a name of ours is made anew"


@pytest.mark.slow
def test_a_remote_without_filters_is_asked_for_little_and_once(
    remote: BareRepository, make_bench: Make, git: DeadlyGit, tmp_path: Path
) -> None:
    remote.git("config", "uploadpack.allowFilter", "false")
    remote.commit({"large": os.urandom(4 * MAX_BYTES)})
    cached = replace(LOCAL, cache_folder=tmp_path / "cache")
    first = fresh(remote, make_bench, git, cached)
    history(first)
    first.write("1.1.0", "behind")
    assert git.asked.count("fetch") == 1, "what the first fetch said is remembered"
    first.bench.close()
    again = fresh(remote, make_bench, git, cached)
    assert again.write("1.2.0", "behind") == []
    again.move_base()
    assert again.write("1.3.0", "behind") == []
    assert git.asked.count("fetch") == 2, "one question, which was cut off"


@pytest.mark.slow
def test_a_remote_that_goes_away_after_the_push_costs_nothing(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    def leave(event: str) -> None:
        if event == "git_push_ended":
            remote.folder.rename(tmp_path / "gone")

    log = RecordingLog(leave)
    world = Branches(remote, remote.url, make_bench(BenchOptions(log=log)), log)
    history(world)
    assert world.write("1.1.0", "behind") == []
    assert ("git_branch_compared", None) in [(event, fields.get("behind")) for event, fields in log.records]


@pytest.mark.slow
@pytest.mark.wire
def test_a_server_on_the_network_says_it_too(connect: Connect, http: HttpServer, served: BareRepository) -> None:
    log, url = RecordingLog(), http.url(served.folder.name)
    bench = connect(http.login(url), options=BenchOptions(write=GitWriteOptions(backoff=QUICK), log=log))
    world = Branches(served, url, bench, log)
    history(world)
    assert world.write("1.1.0", "behind", "brought-up") == ["behind"]
