from __future__ import annotations

from dataclasses import replace

import pytest

from tests.git.bench import intent_for
from updater.clock import SystemClock
from updater.writeback import git_requests_wishes
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_plan import Batch
from updater.writeback.git_requests_wishes import KEPT_S, Wishes

_URL = "https://git.example.com/acme/deploy.git"


class Clock(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s


def _intent(app: str, tag: str = "1.1.0", branch: str = "head") -> GitIntent:
    made = intent_for(_URL, tag, app=app)
    return replace(made, target=replace(made.target, write_branch=branch))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _apps(batch: Batch) -> list[str]:
    return [intent.change_set.application.name for intent in batch.intents]


def test_others_of_the_branch_join_behind_with_their_latest_wish(clock: Clock) -> None:
    wishes = Wishes()
    wishes.joined(Batch((_intent("b"), _intent("a"))), clock, remembers=True)
    wishes.joined(Batch((_intent("b", "1.2.0"),)), clock, remembers=True)
    joined = wishes.joined(Batch((_intent("c"),)), clock, remembers=True)
    assert _apps(joined) == ["c", "a", "b"]
    assert joined.intents[2].change_set.images[0].new_tag == "1.2.0"


def test_other_branches_and_dry_runs_leave_nothing(clock: Clock) -> None:
    wishes = Wishes()
    wishes.joined(Batch((_intent("a", branch="other"),)), clock, remembers=True)
    wishes.joined(Batch((_intent("b"),)), clock, remembers=False)
    batch = Batch((_intent("c"),))
    assert wishes.joined(batch, clock, remembers=True) is batch


def test_a_wish_that_is_not_repeated_is_withdrawn(clock: Clock) -> None:
    wishes = Wishes()
    wishes.joined(Batch((_intent("a"),)), clock, remembers=True)
    clock.now_s = KEPT_S
    assert _apps(wishes.joined(Batch((_intent("b"),)), clock, remembers=False)) == ["b", "a"]
    clock.now_s = KEPT_S + 1
    assert _apps(wishes.joined(Batch((_intent("b"),)), clock, remembers=False)) == ["b"]


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_requests_wishes, "MAX_KEPT", 3)
    wishes = Wishes()
    for number in range(3):
        wishes.joined(Batch((_intent("a", branch=f"head{number}"),)), clock, remembers=True)
    assert _apps(wishes.joined(Batch((_intent("b", branch="head0"),)), clock, remembers=True)) == ["b", "a"]
    assert _apps(wishes.joined(Batch((_intent("b", branch="head1"),)), clock, remembers=False)) == ["b"]
