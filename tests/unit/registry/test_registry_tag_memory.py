from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.registry.polls import PollKey
from updater.registry.tag_memory import REVALIDATED_AT_ALL, REVALIDATED_NEWEST, TagMemory
from updater.registry.transports import Janitor
from updater.rules.platforms import PlatformFilter
from updater.transport.trust import TlsOptions

KEY = PollKey("https://r.test/v2/app/tags/list", "ann")
OTHERS = (
    PollKey(KEY.tags_url, "bob"),
    PollKey("https://r.test/v2/other/tags/list", "ann"),
    PollKey(KEY.tags_url, "ann", TlsOptions(insecure=True)),
)


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def monotonic_s(self) -> float:
        return self.at_s


def memory_of(clock: Any, count: int, *, are_immutable: bool = False) -> tuple[TagMemory, list[str]]:
    memory = TagMemory(clock, 60, are_immutable=are_immutable)
    tags = [f"t{number:04}" for number in range(count)]
    for tag in tags:
        memory.remember(KEY, tag, "sha256:x")
    return memory, tags


@given(st.integers(0, 120), st.lists(st.integers(1, 200), max_size=30))
def test_looks_stay_within_their_budget_and_begin_with_the_newest(count: int, pauses: list[int]) -> None:
    clock = Ticking()
    memory, tags = memory_of(clock, count)
    rounds_s = [float("-inf")]
    for pause in pauses:
        clock.at_s += pause
        known = memory.recall(KEY, tags)
        again = memory.to_look_at(KEY, known, tags)
        assert len(again) <= REVALIDATED_AT_ALL
        assert all(memory.is_old(KEY, known[tag]) for tag in again)
        old = {tag for tag in tags[:REVALIDATED_NEWEST] if memory.is_old(KEY, known[tag])}
        if again:
            assert old <= again
            assert clock.at_s - rounds_s[-1] >= 60, "one round per interval"
            rounds_s.append(clock.at_s)
        for tag in again:
            memory.remember(KEY, tag, "sha256:x")


@given(st.integers(1, 200))
def test_every_tag_has_its_turn(count: int) -> None:
    clock = Ticking()
    memory, tags = memory_of(clock, count)
    seen: set[str] = set()
    for _ in range(1 + count // (REVALIDATED_AT_ALL - REVALIDATED_NEWEST)):
        clock.at_s += 61
        again = memory.to_look_at(KEY, memory.recall(KEY, tags), tags)
        seen |= again
        for tag in again:
            memory.remember(KEY, tag, "sha256:x")
    assert seen == set(tags)


@pytest.mark.parametrize("other", OTHERS, ids=["other credentials", "another repository", "other trust"])
def test_what_one_learned_another_does_not_know(clock: Any, other: PollKey) -> None:
    memory, tags = memory_of(clock, 3)
    assert memory.recall(other, tags) == {}


def test_a_changed_repository_is_old_for_everybody_and_at_once(clock: Any) -> None:
    memory, tags = memory_of(clock, 3)
    memory.remember(OTHERS[0], "t0000", "sha256:x")
    memory.remember(OTHERS[1], "t0000", "sha256:x")
    memory.forget_repository(KEY.tags_url)
    assert memory.to_look_at(KEY, memory.recall(KEY, tags), tags) == set(tags)
    assert memory.is_old(OTHERS[0], memory.recall(OTHERS[0], tags)["t0000"])
    assert not memory.is_old(OTHERS[1], memory.recall(OTHERS[1], tags)["t0000"])


def test_immutable_tags_never_grow_old_but_missing_ones_do(clock: Any) -> None:
    memory, tags = memory_of(clock, 1, are_immutable=True)
    memory.remember(KEY, "gone", "", is_missing=True)
    clock.at_s += 3_600
    known = memory.recall(KEY, [*tags, "gone"])
    assert [memory.is_old(KEY, known[tag]) for tag in (tags[0], "gone")] == [False, True]


def test_what_was_unusable_is_remembered_with_its_platforms(clock: Any) -> None:
    memory, _ = memory_of(clock, 0)
    memory.remember(KEY, "bad", "sha256:x", unusable_for=PlatformFilter())
    assert memory.recall(KEY, ["bad"])["bad"].unusable_for == PlatformFilter()


def test_a_janitor_sweeps_until_it_is_closed() -> None:
    swept = threading.Semaphore(0)
    janitor = Janitor(swept.release, 0.01)
    assert swept.acquire(timeout=20)
    assert swept.acquire(timeout=20)
    janitor.close()
    janitor.close()
    while swept.acquire(blocking=False):
        pass
    assert not swept.acquire(timeout=0.05)


def test_a_janitor_without_a_period_never_sweeps() -> None:
    Janitor(lambda: pytest.fail("swept"), 0).close()
