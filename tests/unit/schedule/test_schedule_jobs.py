"""Jobs on real threads: firing, moving, replacing, and a wall clock that steps."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import apscheduler.schedulers.base
import pytest

from updater.clock import SystemClock
from updater.schedule.jobs import Jobs

WAIT_S = 20.0
LONG_S = 3600.0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs(SystemClock())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def offers() -> queue.Queue[str]:
    return queue.Queue()


def test_an_application_is_offered_at_once_and_then_waits_for_its_interval(
    jobs: Jobs, offers: queue.Queue[str]
) -> None:
    jobs.add_application("ns/a", LONG_S, offers.put)
    assert offers.get(timeout=WAIT_S) == "ns/a"
    # The job is moved by the thread that fired it, a moment after the offer.
    jobs.add_application("ns/b", LONG_S, offers.put)
    assert offers.get(timeout=WAIT_S) == "ns/b"
    rest_s = jobs.next_offer_s("ns/a")
    assert rest_s is not None
    assert LONG_S - WAIT_S < rest_s <= LONG_S


def test_a_short_interval_offers_again_and_again(jobs: Jobs, offers: queue.Queue[str]) -> None:
    jobs.add_application("ns/a", 0.01, offers.put)
    assert [offers.get(timeout=WAIT_S) for _ in range(3)] == ["ns/a"] * 3


def test_a_postponed_job_fires_at_its_new_time(jobs: Jobs, offers: queue.Queue[str]) -> None:
    jobs.add_application("ns/a", LONG_S, offers.put)
    offers.get(timeout=WAIT_S)
    assert jobs.postpone("ns/a", 2 * LONG_S)
    rest_s = jobs.next_offer_s("ns/a")
    assert rest_s is not None
    assert rest_s > LONG_S
    assert jobs.postpone("ns/a", 0.0)
    assert offers.get(timeout=WAIT_S) == "ns/a"


def test_jobs_that_are_gone_cannot_be_moved_or_removed(jobs: Jobs, offers: queue.Queue[str]) -> None:
    jobs.add_application("ns/a", LONG_S, offers.put)
    assert jobs.remove_application("ns/a")
    assert not jobs.remove_application("ns/a")
    assert not jobs.postpone("ns/a", 1.0)
    assert jobs.next_offer_s("ns/a") is None


def test_a_one_shot_job_that_waits_is_replaced(jobs: Jobs) -> None:
    ran: queue.Queue[str] = queue.Queue()
    jobs.run_after("cycle", LONG_S, lambda: ran.put("late"))
    jobs.run_after("cycle", 0.0, lambda: ran.put("soon"))
    assert ran.get(timeout=WAIT_S) == "soon"
    assert jobs.next_run_s("cycle") is None


def test_a_one_shot_job_can_plan_its_successor_while_it_runs(jobs: Jobs) -> None:
    ran: queue.Queue[int] = queue.Queue()
    count = iter(range(1, 4))

    def work() -> None:
        number = next(count)
        if number < 3:
            jobs.run_after("cycle", 0.0, work)
        ran.put(number)

    jobs.run_after("cycle", 0.0, work)
    assert sorted(ran.get(timeout=WAIT_S) for _ in range(3)) == [1, 2, 3]


def test_offers_do_not_run_in_the_threads_of_one_shot_jobs(jobs: Jobs) -> None:
    names: queue.Queue[str] = queue.Queue()
    jobs.add_application("ns/a", LONG_S, lambda _: names.put(threading.current_thread().name))
    assert names.get(timeout=WAIT_S) == "APScheduler"
    jobs.run_after("cycle", 0.0, lambda: names.put(threading.current_thread().name))
    assert names.get(timeout=WAIT_S).startswith("schedule-job")


def test_an_offer_that_fails_stops_neither_its_job_nor_others(jobs: Jobs, offers: queue.Queue[str]) -> None:
    def crash(key: str) -> None:
        offers.put(key)
        raise RuntimeError("a bug")

    jobs.add_application("ns/bad", 0.01, crash)
    assert [offers.get(timeout=WAIT_S) for _ in range(2)] == ["ns/bad"] * 2
    jobs.remove_application("ns/bad")
    jobs.add_application("ns/good", LONG_S, offers.put)
    while offers.get(timeout=WAIT_S) != "ns/good":
        pass


def test_the_library_keeps_quiet_also_of_a_job_that_outlives_the_scheduler(caplog: pytest.LogCaptureFixture) -> None:
    jobs = Jobs(SystemClock())
    began, may_end = threading.Event(), threading.Event()
    ran_in: list[threading.Thread] = []

    def work() -> None:
        ran_in.append(threading.current_thread())
        began.set()
        may_end.wait(WAIT_S)

    with caplog.at_level(logging.INFO):
        jobs.start()
        jobs.run_after("cycle", 0.0, work)
        assert began.wait(WAIT_S)
        jobs.stop()
        may_end.set()
        ran_in[0].join(WAIT_S)
        assert not ran_in[0].is_alive()
    assert [each for each in caplog.records if each.name.startswith("apscheduler")] == []


def test_a_wall_clock_that_steps_back_does_not_stop_jobs(
    jobs: Jobs, offers: queue.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stepped = threading.Event()

    class SteppedTime(datetime):
        """What the library would see as the time of day after a step."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            wall = datetime.fromtimestamp(time.time(), UTC) - timedelta(hours=1)
            stepped.set()
            return wall if tz is None else tz.fromutc(wall.replace(tzinfo=tz))

    jobs.add_application("ns/a", 0.05, offers.put)
    offers.get(timeout=WAIT_S)
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", SteppedTime)
    assert stepped.wait(WAIT_S)
    assert [offers.get(timeout=WAIT_S) for _ in range(3)] == ["ns/a"] * 3


def test_a_stop_amid_firing_jobs_leaves_no_failed_thread_and_takes_no_more_jobs() -> None:
    # A thread that fails, fails the test.
    ran = threading.Event()
    for _ in range(30):
        ran.clear()
        jobs = Jobs(SystemClock())
        jobs.start()
        for number in range(50):
            jobs.run_after(f"job-{number}", 0.0, ran.set)
        assert ran.wait(WAIT_S)
        jobs.stop()
        jobs.run_after("late", 0.0, ran.set)
        assert jobs.next_run_s("late") is None
