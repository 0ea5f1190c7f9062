"""Commits through the API of GitHub: what is sent, races, lost answers, refusals, and who gets plain git."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, Make, RecordingLog, intent_for
from tests.git.github_server import TOKEN, GitHub, github, graphql_error
from tests.git.https_server import Asked
from updater.clock import Deadline
from updater.git.access import GitHubApi, RemoteAccess
from updater.git.options import Admission, Committer, GitOptions, Signing, SigningMethod
from updater.model.changes import WriteOutcome
from updater.model.git_targets import GitTarget
from updater.playground.git_remote import BareRepository
from updater.transport.http import HttpOptions, TlsOptions
from updater.transport.redaction import Secret
from updater.writeback.git_options import GitWriteOptions

pytestmark = pytest.mark.wire

_PATH = "apps/shop/values.yaml"
_VALUES = "image:\n  tag: 1.0.0\n"


@dataclass
class AppAccess:
    """What the credentials of a GitHub App give."""

    world: GitHub
    token: str = TOKEN

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[RemoteAccess]:
        http = HttpOptions(TlsOptions(ca_data=self.world.ca))
        yield RemoteAccess(api=GitHubApi(self.world.url, Secret(self.token), http))

    def reject(self, target: GitTarget, namespace: str) -> bool:
        return False


@pytest.fixture(scope="module")
def served() -> Iterator[GitHub]:
    with github() as world:
        yield world


@pytest.fixture
def world(served: GitHub, remote: BareRepository) -> GitHub:
    served.repository, served.fail, served.lose, served.asked = remote, [], 0, []
    return served


def _options(world: GitHub, *, token: str = TOKEN, per_app: bool = False) -> BenchOptions:
    signing = Signing(SigningMethod.OPENPGP, "a key that nobody has")
    git = GitOptions(uses_api=True, admission=Admission(allows_local=True), committer=Committer(signing=signing))
    write = GitWriteOptions(backoff=QUICK, commits_per_application=per_app)
    return BenchOptions(git=git, write=write, access=AppAccess(world, token), log=RecordingLog())


@pytest.fixture
def bench(make_bench: Make, world: GitHub) -> Bench:
    return make_bench(_options(world))


def test_github_makes_the_commit_and_its_id_is_told(world: GitHub, remote: BareRepository, bench: Bench) -> None:
    before = remote.tip()
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome, result.commit) == ("", WriteOutcome.WRITTEN, remote.tip())
    assert remote.read(_PATH) == "image:\n  name: shop  # ours\n  tag: 1.1.0\n"
    (sent,) = world.inputs
    assert sent["branch"]["branchName"] == "main"
    assert sent["branch"]["repositoryNameWithOwner"].count("/") == 1
    assert sent["expectedHeadOid"] == before
    assert sent["message"] == {
        "headline": "build: automatic update of shop",
        "body": "updates image example/shop tag '1.0.0' to '1.1.0'",
    }
    assert list(sent["fileChanges"]) == ["additions"]


def test_the_next_batch_goes_on_from_the_commit_of_github(remote: BareRepository, bench: Bench) -> None:
    for tag in ("1.1.0", "1.2.0"):
        assert bench.write_one(intent_for(remote.url, tag)).commit == remote.tip()
    assert bench.write_one(intent_for(remote.url, "1.2.0")).outcome is WriteOutcome.UNCHANGED


def test_a_new_write_branch_begins_at_its_base(world: GitHub, remote: BareRepository, bench: Bench) -> None:
    base = remote.tip()
    result = bench.write_one(intent_for(remote.url, "1.1.0", write_branch="updates/shop"))
    assert (result.error, result.commit) == ("", remote.tip("updates/shop"))
    assert remote.git("rev-parse", "updates/shop^").strip() == base
    assert world.asked[0][1] == {"ref": "refs/heads/updates/shop", "sha": base}


@pytest.mark.slow
def test_a_write_branch_that_is_behind_its_base_is_said_to_be(
    world: GitHub, remote: BareRepository, make_bench: Make
) -> None:
    remote.git("branch", "updates", "main")
    remote.commit({"other": "x"})
    options = _options(world)
    bench = make_bench(options)
    for tag in ("1.1.0", "1.2.0"):
        assert bench.write_one(intent_for(remote.url, tag, write_branch="updates")).commit == remote.tip("updates")
    assert isinstance(options.log, RecordingLog)
    assert options.log.events.count("git_branch_behind") == 1


def test_a_branch_that_appears_meanwhile_is_a_lost_race(world: GitHub, remote: BareRepository, bench: Bench) -> None:
    def appear(_: Asked) -> None:
        remote.git("update-ref", "refs/heads/updates/shop", remote.tip())
        remote.commit({"other": "x"}, branch="updates/shop")

    world.fail = [appear]
    result = bench.write_one(intent_for(remote.url, "1.1.0", write_branch="updates/shop"))
    assert (result.error, result.outcome, result.attempts) == ("", WriteOutcome.WRITTEN, 2)
    assert remote.read("other", "updates/shop") == "x"
    assert "tag: 1.1.0" in remote.read(_PATH, "updates/shop")


def test_a_commit_of_somebody_else_stays_below_ours(world: GitHub, remote: BareRepository, bench: Bench) -> None:
    world.fail = [lambda _: remote.commit({"other": "x"}) and None]
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.commit) == ("", remote.tip())
    assert remote.messages()[:2] == ["build: automatic update of shop", "change"]


def test_a_lost_answer_is_looked_up_and_nothing_is_committed_twice(
    world: GitHub, remote: BareRepository, bench: Bench
) -> None:
    before = remote.count()
    world.lose = 1
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome, result.commit) == ("", WriteOutcome.WRITTEN, remote.tip())
    assert remote.count() == before + 1


def test_a_request_that_was_not_carried_out_is_sent_again(world: GitHub, remote: BareRepository, bench: Bench) -> None:
    before = remote.count()
    world.fail = [lambda _: (503, b"later")]
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert remote.count() == before + 1


def test_commits_of_each_application_follow_each_other_also_when_answers_get_lost(
    world: GitHub, remote: BareRepository, make_bench: Make
) -> None:
    remote.commit({f"apps/{name}/values.yaml": _VALUES for name in "abc"})
    before = remote.count()
    world.fail = [lambda _: None, lambda _: (502, b"lost before")]
    bench = make_bench(_options(world, per_app=True))
    results = bench.write(*(intent_for(remote.url, "2.0.0", app=name) for name in "abc"))
    assert {result.error for result in results} == {""}
    assert {result.outcome for result in results} == {WriteOutcome.WRITTEN}
    assert remote.count() == before + 3
    stored = remote.git("rev-list", "--reverse", f"-{3}", "main").split()
    assert [result.commit for result in results] == stored


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        pytest.param(200, graphql_error("FORBIDDEN", "Resource not accessible"), "push_denied", id="no permission"),
        pytest.param(200, graphql_error("X", "Changes must be made through a pull request."), "push_denied", id="rule"),
        pytest.param(401, b'{"message": "Bad credentials"}', "auth_failed", id="token"),
        pytest.param(403, b'{"message": "no"}', "push_denied", id="forbidden"),
        pytest.param(404, b'{"message": "Not Found"}', "repo_not_found", id="hidden"),
        pytest.param(429, b"slow down", "network", id="throttled"),
        pytest.param(500, b"oops", "network", id="failing"),
        pytest.param(200, b'{"data": {}}', "network", id="no commit in the answer"),
        pytest.param(200, b"<html>", "network", id="no JSON"),
    ],
)
def test_a_refusal_has_its_code_and_stores_nothing(
    world: GitHub, remote: BareRepository, bench: Bench, status: int, body: bytes, code: str
) -> None:
    before = remote.tip()
    world.fail = [lambda _: (status, body)] * 10
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, code)
    assert TOKEN not in result.error
    assert remote.tip() == before


def test_credentials_of_another_kind_use_git_and_say_so(remote: BareRepository, make_bench: Make) -> None:
    log = RecordingLog()
    git = GitOptions(uses_api=True, admission=Admission(allows_local=True))
    result = make_bench(BenchOptions(git=git, log=log)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.commit) == ("", remote.tip())
    assert "git_api_unavailable" in log.events


@pytest.mark.slow
def test_a_branch_that_is_made_anew_is_pushed_with_git(world: GitHub, remote: BareRepository, make_bench: Make) -> None:
    options = _options(world)
    write = GitWriteOptions(backoff=QUICK, resets_write_branch=True)
    bench = make_bench(BenchOptions(git=options.git, write=write, access=options.access))
    for tag in ("1.1.0", "1.2.0"):
        result = bench.write_one(intent_for(remote.url, tag, write_branch="updates/shop"))
        assert result.error == ""
    assert len(world.inputs) == 1
    assert remote.git("rev-list", "--count", "main..updates/shop").strip() == "1"
    assert "tag: 1.2.0" in remote.read(_PATH, "updates/shop")
