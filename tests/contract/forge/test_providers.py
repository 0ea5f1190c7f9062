"""What only one forge does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.forge.conftest import CASES, ForgeBench
from tests.contract.forge.fakes.server import Asked, ForgeServer, Reply
from tests.contract.forge.fakes.world import World
from updater.errors import ForgeError
from updater.forge.access import TokenKind
from updater.model.pull_requests import ForgeProvider
from updater.ports.forge import NewRequest, RequestText

pytestmark = pytest.mark.wire

_NEW = NewRequest("bump/a", "main", RequestText("title", "body"))


@contextmanager
def _bench(word: str) -> Iterator[ForgeBench]:
    case = next(case for case in CASES if case.provider is ForgeProvider(word))
    world = World(owner=case.owner)
    world.branches.update({"main": "1" * 40, "bump/a": "3" * 40})
    with ForgeServer(case.fake(world)) as server:
        yield ForgeBench(case, server)


@pytest.mark.parametrize(
    ("status", "headers", "text"),
    [
        pytest.param(403, {"x-ratelimit-remaining": "0"}, "{}", id="used up"),
        pytest.param(403, {}, '{"message": "You have exceeded a secondary rate limit"}', id="secondary"),
        pytest.param(429, {"x-ratelimit-remaining": "0"}, "", id="too many requests"),
    ],
)
def test_a_used_up_rate_limit_of_github_is_left_to_the_next_round(
    status: int, headers: dict[str, str], text: str
) -> None:
    with _bench("github") as bench, bench.open() as forge:
        bench.fake.faults.append(Reply(status, headers=headers, text=text))
        with pytest.raises(ForgeError, match="rate limit") as caught:
            forge.create(_NEW)
        assert (caught.value.code, caught.value.retryable) == ("pr_failed", False)
        assert (len(bench.fake.asked), bench.access.rejected) == (1, 0)


def test_a_token_whose_limit_is_used_up_sends_nothing_until_it_is_renewed() -> None:
    reset = int(time.time()) + 300
    used_up = Reply(403, {"message": "limit"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})
    with _bench("github") as bench, bench.open() as forge:
        bench.fake.faults.append(used_up)
        with pytest.raises(ForgeError) as first:
            forge.find_open("bump/a", "main")
        assert first.value.retry_after_s == pytest.approx(300, abs=5)
        with pytest.raises(ForgeError, match="nothing is sent for another"):
            forge.find_open("bump/a", "main")
        assert len(bench.fake.asked) == 1


@pytest.mark.parametrize("word", ["github", "gitea", "bitbucket-server"])
def test_nothing_to_take_over_is_no_duplicate(word: str) -> None:
    with _bench(word) as bench, bench.open() as forge:
        bench.world.branches["bump/a"] = bench.world.branches["main"]
        with pytest.raises(ForgeError) as caught:
            forge.create(_NEW)
    assert caught.value.code == "pr_failed"


def test_github_is_asked_with_the_owner_before_the_branch() -> None:
    """Without it the filter is ignored, and every open request comes back."""
    with _bench("github") as bench, bench.open() as forge:
        forge.find_open("bump/a", "main")
        query = bench.fake.asked[0].query
        assert (query["head"], query["base"], query["state"]) == ("acme:bump/a", "main", "open")


def test_the_path_of_a_gitlab_project_is_one_encoded_segment() -> None:
    with _bench("gitlab") as bench, bench.open() as forge:
        forge.find_open("bump/a", "main")
        assert bench.fake.asked[0].path == "/api/v4/projects/acme%2Fteam%2Fdeploy/merge_requests"


@pytest.mark.parametrize(
    ("kind", "header"),
    [(TokenKind.PASSWORD, "PRIVATE-TOKEN"), (TokenKind.SCM, "PRIVATE-TOKEN"), (TokenKind.BEARER, "")],
)
def test_gitlab_tells_access_tokens_from_those_of_oauth(kind: TokenKind, header: str) -> None:
    with _bench("gitlab") as bench:
        bench.with_token(kind)
        with bench.open() as forge:
            forge.find_open("bump/a", "main")
        headers = bench.fake.asked[0].headers
        assert ("PRIVATE-TOKEN" in headers, "Authorization" in headers) == (bool(header), not header)


def test_a_label_with_a_comma_is_none_of_gitlab() -> None:
    with _bench("gitlab") as bench, bench.open() as forge:
        request = forge.create(_NEW)
        assert request is not None
        assert forge.label(request, ["a,b", "c"]) == ("a,b",)
        assert bench.world.requests[0].labels == ["c"]


def test_labels_that_a_gitea_repository_does_not_have_are_named() -> None:
    with _bench("gitea") as bench, bench.open() as forge:
        bench.world.page = 1
        request = forge.create(_NEW)
        assert request is not None
        assert forge.label(request, ["unknown", "images", "more"]) == ("unknown", "more")
        assert bench.world.requests[0].labels == ["images"]


def test_a_change_in_between_costs_bitbucket_server_one_more_look() -> None:
    with _bench("bitbucket-server") as bench, bench.open() as forge:
        request = forge.create(_NEW)
        assert request is not None
        stored = bench.world.requests[0]
        stored.reviewers = ["ann", "bob"]

        def look(_: Asked) -> None:
            bench.fake.faults.append(change)

        def change(_: Asked) -> None:
            stored.version += 1

        bench.fake.faults.append(look)
        forge.update(request, RequestText("new title", "new body"))
        assert (stored.title, stored.reviewers) == ("new title", ["ann", "bob"])
        assert bench.fake.methods()[1:] == ["GET", "PUT", "GET", "PUT"]


def test_changes_that_never_end_are_a_failure_of_bitbucket_server() -> None:
    with _bench("bitbucket-server") as bench, bench.open() as forge:
        request = forge.create(_NEW)
        assert request is not None
        stored = bench.world.requests[0]

        def always() -> None:
            stored.version += 1

        bench.world.before_write = always
        with pytest.raises(ForgeError, match="409"):
            forge.update(request, RequestText("new title", "new body"))


@pytest.mark.parametrize(
    ("username", "scheme"),
    [("bot", "Basic"), ("x-token-auth", "Bearer"), ("", "Bearer"), ("x-bitbucket-api-token-auth", "Bearer")],
)
def test_bitbucket_gets_app_passwords_with_their_user(username: str, scheme: str) -> None:
    with _bench("bitbucket") as bench:
        bench.with_token(TokenKind.PASSWORD, username)
        with bench.open() as forge:
            forge.find_open("bump/a", "main")
        assert bench.fake.asked[0].headers["Authorization"].split()[0] == scheme


def test_the_next_page_of_another_server_is_not_asked_for() -> None:
    with _bench("bitbucket") as bench, bench.open() as forge:
        bench.fake.faults.append(Reply(200, {"values": [], "next": "http://127.0.0.1:1/2.0/x"}))
        with pytest.raises(ForgeError, match="another server"):
            forge.find_open("bump/a", "main")


def test_quotes_in_a_branch_stay_inside_of_bitbuckets_query() -> None:
    name = 'a" OR state = "x\\'
    with _bench("bitbucket") as bench, bench.open() as forge:
        bench.world.add(name)
        found = forge.find_open(name, "main")
    assert found is not None
    assert found.head == name


def test_a_page_to_sign_in_means_that_azure_does_not_know_the_token() -> None:
    with _bench("azuredevops") as bench:
        bench.with_token(TokenKind.PASSWORD, token="wrong-token")
        with bench.open() as forge, pytest.raises(ForgeError) as caught:
            forge.find_open("bump/a", "main")
    assert caught.value.code == "pr_denied"


def test_azure_removes_the_branch_itself_and_none_that_begins_like_it() -> None:
    with _bench("azuredevops") as bench, bench.open() as forge:
        bench.world.branches["bump/a-b"] = "5" * 40
        request = forge.create(_NEW)
        assert request is not None
        forge.close(request, "superseded")
        assert sorted(bench.world.branches) == ["bump/a-b", "main"]
