"""Origins that give no answers: when they are not asked any more, and when again."""

from __future__ import annotations

import pytest

from tests.unit.registry.conftest import ManualClock
from updater.clock import Deadline
from updater.errors import RegistryUnreachable
from updater.registry.failures import may_be_repeated
from updater.registry.measures import error_kind
from updater.registry.silences import FIRST_PAUSE_S, LONGEST_PAUSE_S, MANY, SCOUT_S, SLOW_S, Silences

WHOM = "https://registry.example.com"


def is_asked(silences: Silences) -> bool:
    try:
        silences.enter(WHOM, "here")
    except RegistryUnreachable:
        return False
    return True


def silent(clock: ManualClock, requests: int = MANY, seconds: float = 60.0) -> Silences:
    silences = Silences(clock)
    for _ in range(requests):
        silences.unanswered(WHOM, seconds)
    return silences


@pytest.mark.parametrize(
    ("requests", "seconds", "expected"),
    [
        pytest.param(MANY - 1, 60.0, True, id="a few"),
        pytest.param(MANY, 60.0, False, id="many"),
        pytest.param(100, SLOW_S / 2, True, id="many that cost no time"),
    ],
)
def test_many_requests_that_were_waited_for_make_a_silence(
    clock: ManualClock, requests: int, seconds: float, *, expected: bool
) -> None:
    assert is_asked(silent(clock, requests, seconds)) is expected


def test_an_answer_in_between_starts_the_count_anew(clock: ManualClock) -> None:
    silences = silent(clock, MANY - 1)
    silences.answered(WHOM)
    silences.unanswered(WHOM, 60.0)
    assert is_asked(silences)


def test_others_are_asked(clock: ManualClock) -> None:
    silent(clock).enter("https://other.example.com", "here")


def test_after_the_pause_one_request_finds_out(clock: ManualClock) -> None:
    silences = silent(clock)
    clock.at_s += FIRST_PAUSE_S
    silences.check(WHOM, "here")
    assert [is_asked(silences) for _ in range(3)] == [True, False, False]
    with pytest.raises(RegistryUnreachable) as raised:
        silences.check(WHOM, "here")
    assert (raised.value.code, raised.value.where) == ("registry_silent", "here")
    silences.answered(WHOM)
    assert [is_asked(silences) for _ in range(3)] == [True, True, True]


def test_pauses_grow_with_each_scout_that_hears_nothing(clock: ManualClock) -> None:
    silences = silent(clock)
    pauses = []
    for _ in range(6):
        began_s = clock.at_s
        while not is_asked(silences):
            clock.at_s += 1
        pauses.append(clock.at_s - began_s)
        silences.unanswered(WHOM, 60.0)
    assert pauses == [10, 20, 40, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_stragglers_do_not_make_the_first_pause_longer(clock: ManualClock) -> None:
    silences = silent(clock, MANY + 20)
    clock.at_s += FIRST_PAUSE_S
    assert is_asked(silences)


def test_a_scout_that_fails_at_once_hears_nothing_either(clock: ManualClock) -> None:
    silences = silent(clock)
    clock.at_s += FIRST_PAUSE_S
    assert is_asked(silences)
    silences.unanswered(WHOM, 0.01)
    assert not is_asked(silences)


def test_a_lost_scout_is_replaced(clock: ManualClock) -> None:
    silences = silent(clock)
    clock.at_s += FIRST_PAUSE_S
    assert [is_asked(silences), is_asked(silences)] == [True, False]
    clock.at_s += SCOUT_S
    assert is_asked(silences)


def test_a_request_that_was_not_made_is_neither_repeated_nor_counted(clock: ManualClock) -> None:
    silences = silent(clock)
    with pytest.raises(RegistryUnreachable) as raised:
        silences.enter(WHOM, "here")
    assert not may_be_repeated(raised.value, 1)
    assert error_kind(raised.value, Deadline.after(clock, 60)) == ""


def test_a_new_configuration_is_tried_at_once(clock: ManualClock) -> None:
    silences = silent(clock)
    silences.forget(WHOM)
    assert is_asked(silences)
