"""The pass beyond its vectors: order-independence, nobody lost, the cap, and running Applications."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.schedule.options import Mode, Schedule, ScheduleOptions
from updater.schedule.passes import Candidate, Room, SkipReason, schedule_pass

NOW_S = 1000.0

_TIMES = st.none() | st.floats(0, NOW_S)
_CANDIDATES = st.lists(
    st.builds(
        Candidate,
        key=st.text("ab-/", min_size=1, max_size=4),
        repository=st.sampled_from(["", "one", "two"]),
        last_attempt_s=_TIMES,
        last_success_s=_TIMES,
        fail_count=st.integers(0, 3),
        is_running=st.booleans(),
    ),
    unique_by=lambda each: each.key,
)
_OPTIONS = st.builds(
    ScheduleOptions,
    interval_s=st.sampled_from([0.0, 60.0]),
    max_concurrency=st.integers(1, 5),
    schedule=st.sampled_from(Schedule),
    cooldown_s=st.sampled_from([0.0, 300.0]),
    per_repo_cap=st.integers(0, 2),
)


def room_of(candidates: list[Candidate], options: ScheduleOptions) -> Room:
    busy = Counter(each.repository for each in candidates if each.is_running)
    return Room(options.workers_for(len(candidates)), busy.total(), busy)


@given(_CANDIDATES, _OPTIONS, st.sampled_from(Mode), st.randoms(use_true_random=False))
def test_every_candidate_has_one_fate_whatever_the_order_of_the_input(
    candidates: list[Candidate], options: ScheduleOptions, mode: Mode, random: Any
) -> None:
    room = room_of(candidates, options)
    result = schedule_pass(candidates, NOW_S, mode, options, room)
    fates = Counter((*result.dispatch, *result.not_due, *(key for key, _ in result.skipped)))
    assert fates == Counter(each.key for each in candidates)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert schedule_pass(shuffled, NOW_S, mode, options, room) == result


@given(_CANDIDATES, _OPTIONS)
def test_continuous_mode_stays_within_its_slots_and_caps(candidates: list[Candidate], options: ScheduleOptions) -> None:
    room = room_of(candidates, options)
    result = schedule_pass(candidates, NOW_S, Mode.CONTINUOUS, options, room)
    assert len(result.dispatch) <= max(0, room.workers - room.running)
    by_key = {each.key: each for each in candidates}
    started = Counter(by_key[key].repository for key in result.dispatch)
    for repository in filter(None, started):
        if options.per_repo_cap:
            assert started[repository] + room.by_repository.get(repository, 0) <= options.per_repo_cap
    assert not any(by_key[key].is_running for key in result.dispatch)


def test_a_due_application_that_runs_is_skipped_as_in_flight() -> None:
    late = Candidate("ns/late", last_attempt_s=0.0, is_running=True)
    options = ScheduleOptions(interval_s=60)
    result = schedule_pass([late], NOW_S, Mode.CONTINUOUS, options, Room(10, running=1))
    assert result.skipped == (("ns/late", SkipReason.IN_FLIGHT),)
    assert result.order == ()


def test_keys_sort_as_texts_and_not_by_namespace_first() -> None:
    candidates = [Candidate("a/x"), Candidate("a-b/x")]
    result = schedule_pass(candidates, NOW_S, Mode.CYCLE, ScheduleOptions(), Room(1))
    assert result.order == ("a-b/x", "a/x")


@pytest.mark.parametrize(
    ("wanted", "cpus", "candidates", "workers"),
    [
        pytest.param(0, 4, 3, 3, id="no more than candidates"),
        pytest.param(0, 4, 100, 32, id="eight per processor"),
        pytest.param(0, 4, 0, 1, id="at least one"),
        pytest.param(7, 4, 3, 7, id="what the operator says"),
    ],
)
def test_workers_follow_the_operator_or_the_processors(wanted: int, cpus: int, candidates: int, workers: int) -> None:
    assert ScheduleOptions(max_concurrency=wanted, cpus=cpus).workers_for(candidates) == workers
