"""What every forge's client does alike: one suite, all providers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.contract.forge.conftest import ForgeBench
from tests.contract.forge.fakes.server import Asked, Reply
from tests.contract.forge.fakes.world import TOKEN
from tests.git.bench import RecordingLog
from updater.errors import ForgeError
from updater.forge.access import TokenKind
from updater.ports.forge import NewRequest, RequestText

pytestmark = pytest.mark.wire

_TEXT = RequestText(
    "build: update shop", "updates image example/shop tag '1.0.0' to '1.1.0'\n\nOpened for argocd/shop."
)
_NEW = NewRequest("bump/a", "main", _TEXT, ("automation", "images"))


def test_a_request_is_opened_and_found_again(bench: ForgeBench) -> None:
    with bench.open() as forge:
        assert forge.find_open("bump/a", "main") is None
        created = forge.create(_NEW)
        assert created is not None
        found = forge.find_open("bump/a", "main")
    (stored,) = bench.world.requests
    assert (stored.title, stored.body, stored.head, stored.base) == (_TEXT.title, _TEXT.body, "bump/a", "main")
    assert found == created
    assert (created.number, created.head, created.base, created.text) == (stored.number, "bump/a", "main", _TEXT)
    assert created.url.startswith(bench.server.url)
    assert created.url.endswith(f"/{stored.number}")


def test_labels_are_set_without_repeats_or_said_to_be_impossible(bench: ForgeBench) -> None:
    with bench.open() as forge:
        request = forge.create(_NEW)
        assert request is not None
        missing = forge.label(request, _NEW.labels)
        again = forge.label(request, _NEW.labels)
    (stored,) = bench.world.requests
    assert missing == again == (() if bench.case.has_labels else _NEW.labels)
    assert stored.labels == (list(_NEW.labels) if bench.case.has_labels else [])


def test_no_labels_are_no_call(bench: ForgeBench) -> None:
    with bench.open() as forge:
        request = forge.create(replace(_NEW, labels=()))
        assert request is not None
        before = len(bench.fake.asked)
        assert forge.label(request, ()) == ()
    assert len(bench.fake.asked) == before


def test_a_second_request_between_two_branches_is_said_to_be_there(bench: ForgeBench) -> None:
    with bench.open() as forge:
        assert forge.create(_NEW) is not None
        assert forge.create(_NEW) is None
    assert len(bench.world.requests) == 1


def test_text_is_changed_in_place(bench: ForgeBench) -> None:
    text = RequestText("build: update shop again", "to 1.2.0\n\nOpened for argocd/shop.")
    with bench.open() as forge:
        created = forge.create(_NEW)
        assert created is not None
        updated = forge.update(created, text)
        before = len(bench.fake.asked)
        assert forge.update(updated, text) == updated
    (stored,) = bench.world.requests
    assert (stored.title, stored.body) == (text.title, text.body)
    assert (updated.number, updated.text) == (created.number, text)
    assert len(bench.fake.asked) == before


def test_closing_says_why_and_removes_the_branch(bench: ForgeBench) -> None:
    with bench.open() as forge:
        created = forge.create(_NEW)
        assert created is not None
        forge.close(created, "superseded by #2")
        assert forge.find_open("bump/a", "main") is None
    (stored,) = bench.world.requests
    assert (stored.comments, stored.is_open) == (["superseded by #2"], False)
    assert sorted(bench.world.branches) == ["bump/b", "main", "next"]


def test_closing_a_request_whose_branch_is_gone_is_no_failure(bench: ForgeBench) -> None:
    with bench.open() as forge:
        created = forge.create(_NEW)
        assert created is not None
        del bench.world.branches["bump/a"]
        forge.close(created, "superseded")
    assert not bench.world.requests[0].is_open


def test_requests_of_forks_other_bases_and_closed_ones_are_not_ours(bench: ForgeBench) -> None:
    bench.world.add("bump/a", "main", is_from_fork=True)
    bench.world.add("bump/a", "next")
    bench.world.add("bump/a", "main").is_open = False
    with bench.open() as forge:
        assert forge.find_open("bump/a", "main") is None
        assert forge.list_open("main", "bump/") == ()


def test_lists_are_read_to_their_last_page(bench: ForgeBench) -> None:
    bench.world.page = 3
    for number in range(10):
        bench.world.add(f"bump/{number}")
    bench.world.add("other/1")
    wanted = bench.world.add("last")
    with bench.open() as forge:
        found = forge.list_open("main", "bump/")
        last = forge.find_open("last", "main")
    assert [each.head for each in found] == [f"bump/{number}" for number in range(10)]
    assert last is not None
    assert last.number == wanted.number


def test_no_page_is_read_behind_the_one_that_is_looked_for(bench: ForgeBench) -> None:
    bench.world.page = 1
    for number in range(5):
        bench.world.add(f"bump/{number}")
    with bench.open() as forge:
        assert forge.find_open("bump/0", "main") is not None
        first = len(bench.fake.asked)
        forge.find_open("bump/0", "main")
    assert len(bench.fake.asked) - first == 1


def test_long_texts_are_cut_to_what_the_forge_takes(bench: ForgeBench) -> None:
    body = "x" * 100_000 + "\n\nOpened for argocd/shop."
    with bench.open() as forge:
        created = forge.create(replace(_NEW, text=RequestText("a line\nanother " + "t" * 500, body)))
    (stored,) = bench.world.requests
    assert created is not None
    assert len(stored.title) == 255
    assert stored.title.startswith("a line another ttt")
    assert len(stored.body) <= bench.case.body_limit
    assert stored.body.endswith("Opened for argocd/shop.")
    assert "cut off" in stored.body


@pytest.mark.parametrize("branch", ["head", "base"])
def test_a_branch_that_is_not_there_is_a_failure_that_says_so(bench: ForgeBench, branch: str) -> None:
    names = {"head": "bump/a", "base": "main", branch: "nowhere"}
    with bench.open() as forge, pytest.raises(ForgeError) as caught:
        forge.create(replace(_NEW, **names))
    assert caught.value.code == "pr_failed"
    assert not caught.value.retryable
    assert bench.world.requests == []


def test_a_token_that_is_not_accepted_is_denied_without_repeats(bench: ForgeBench) -> None:
    bench.with_token(TokenKind.PASSWORD, token="another-token-567")
    with bench.open() as forge, pytest.raises(ForgeError) as caught:
        forge.create(_NEW)
    assert caught.value.code == "pr_denied"
    assert "another-token-567" not in f"{caught.value!s}{caught.value!r}{caught.value.__cause__}"
    assert len(bench.fake.asked) == 1
    assert bench.access.rejected == 1


def test_a_passing_failure_is_repeated(bench: ForgeBench) -> None:
    bench.fake.faults += [Reply(503, text="<html><b>busy</b></html>"), Reply(429, headers={"Retry-After": "0"})]
    with bench.open() as forge:
        assert forge.create(_NEW) is not None
    assert len(bench.world.requests) == 1


def test_a_failure_that_stays_is_reported_after_the_attempts(bench: ForgeBench) -> None:
    bench.fake.faults += [Reply(500, {"message": f"no luck with {TOKEN}"})] * 3
    with bench.open() as forge, pytest.raises(ForgeError) as caught:
        forge.find_open("bump/a", "main")
    assert caught.value.code == "pr_failed"
    assert "no luck with ***" in str(caught.value)
    assert len(bench.fake.asked) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_wait_beyond_the_deadline_is_not_begun(bench: ForgeBench, form: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    bench.fake.faults.append(Reply(429, headers={"Retry-After": "60" if form == "seconds" else later}))
    with bench.open(within_s=10.0) as forge, pytest.raises(ForgeError) as caught:
        forge.find_open("bump/a", "main")
    assert caught.value.retry_after_s == pytest.approx(60, abs=5)
    assert len(bench.fake.asked) == 1


def test_a_comment_is_not_repeated_when_its_fate_is_unknown(bench: ForgeBench) -> None:
    def stored_and_broken(asked: Asked) -> Reply:
        bench.world.requests[0].comments.append("superseded")
        return Reply(502)

    with bench.open() as forge:
        created = forge.create(_NEW)
        assert created is not None
        bench.fake.faults.append(stored_and_broken)
        with pytest.raises(ForgeError):
            forge.close(created, "superseded")
    assert bench.world.requests[0].comments == ["superseded"]


def test_the_token_does_not_follow_a_redirect_to_another_origin(bench: ForgeBench) -> None:
    bench.fake.faults.append(Reply(302, headers={"Location": "http://localhost:1/elsewhere"}))
    with bench.open() as forge, pytest.raises(ForgeError) as caught:
        forge.find_open("bump/a", "main")
    assert "redirects" in str(caught.value)
    assert "http://localhost:1/elsewhere" in str(caught.value)
    assert len(bench.fake.asked) == 1


def test_a_redirect_inside_of_the_origin_is_followed(bench: ForgeBench) -> None:
    def moved(asked: Asked) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in asked.query.items() if name != "q")
        return Reply(301, headers={"Location": f"{asked.path}?{query}&moved=yes"})

    bench.world.add("bump/a")
    bench.fake.faults.append(moved)
    with bench.open() as forge:
        assert forge.find_open("bump/a", "main") is not None
    assert bench.fake.asked[1].query["moved"] == "yes"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(200, text="<html>welcome</html>"), id="a page"),
        pytest.param(Reply(200, text="[" * 100_000), id="deep nesting"),
        pytest.param(Reply(200, text=""), id="nothing"),
        pytest.param(Reply(200, {"message": "odd"}), id="another object"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_failure(bench: ForgeBench, reply: Reply) -> None:
    with bench.open() as forge:
        created = forge.create(_NEW)
        assert created is not None
        bench.fake.faults += [reply, reply]
        with pytest.raises(ForgeError, match="not understood"):
            forge.update(created, RequestText("another", "text"))


def test_log_and_errors_hold_no_token(bench: ForgeBench) -> None:
    log = RecordingLog()
    with bench.open(log=log) as forge:
        forge.create(_NEW)
    assert "forge_answered" in log.events
    assert TOKEN not in repr(bench.access.access)
