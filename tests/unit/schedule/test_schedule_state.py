"""The memory of attempts."""

from __future__ import annotations

from updater.schedule.state import ScheduleState


def test_failures_count_up_and_a_success_clears_them() -> None:
    state = ScheduleState()
    for second in (1.0, 2.0):
        state.began("ns/a", "repo", second)
        state.ended("ns/a", second + 0.5, is_success=False)
    failed = state.candidate("ns/a", "repo")
    assert (failed.fail_count, failed.last_attempt_s, failed.last_success_s) == (2, 2.0, None)
    state.began("ns/a", "repo", 3.0)
    state.ended("ns/a", 3.5, is_success=True)
    healthy = state.candidate("ns/a", "repo")
    assert (healthy.fail_count, healthy.last_success_s, healthy.is_running) == (0, 3.5, False)


def test_the_room_counts_running_applications_by_the_repository_they_began_with() -> None:
    state = ScheduleState()
    state.began("ns/a", "mono", 1.0)
    state.began("ns/b", "mono", 1.0)
    state.candidate("ns/a", "moved")
    assert (state.room(5).running, dict(state.room(5).by_repository)) == (2, {"mono": 2})
    state.ended("ns/a", 2.0, is_success=True)
    state.ended("ns/b", 2.0, is_success=True)
    assert (state.room(5).running, dict(state.room(5).by_repository)) == (0, {})


def test_who_has_left_is_forgotten_once_it_does_not_run() -> None:
    state = ScheduleState()
    state.began("ns/runs", "r", 1.0)
    state.candidate("ns/idle", "r")
    state.candidate("ns/stays", "r")
    state.retain({"ns/stays"})
    state.forget("ns/runs")
    assert len(state) == 2
    state.ended("ns/runs", 2.0, is_success=True)
    state.retain({"ns/stays"})
    assert len(state) == 1


def test_one_that_only_waits_takes_up_no_worker_but_counts_for_its_repository() -> None:
    state = ScheduleState()
    for key in "ab":
        state.began(key, "repo", 1.0)
    assert state.park("a", most=1)
    assert not state.park("b", most=1)
    assert not state.park("c", most=9)
    assert (state.room(5).running, state.room(5).by_repository["repo"], state.running) == (1, 2, 2)
    state.unpark("a")
    assert state.room(5).running == 2
    assert state.park("a", most=1)
    state.ended("a", 2.0, is_success=True)
    assert state.room(5).running == 1
