"""Lists and Watch together: who lists when, and what failures do not take away."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest
from schedule_clock import ManualClock
from schedule_fleet import WAIT_S, MemoryEvents, MemoryFeed, MemorySource, RecordingLog, admit_all, application, away

from updater.errors import ArgoCDDenied
from updater.ports.fleet import FleetEvent
from updater.schedule.fleet import FleetChange, KnownFleet
from updater.schedule.follower import SETTLE_S, FleetAccess, FleetFollower, FollowHooks, FollowOptions

GAP_S = 120.0
RELIST_S = 600.0


class Following:
    """A follower over in-memory ports and a manual clock; plans go into a queue and are carried out by the test."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = RecordingLog()
        self.source = MemorySource(application("a"), application("b", 9))
        self.feed = MemoryFeed()
        self.fleet = KnownFleet(admit_all)
        self.changes: queue.Queue[FleetChange] = queue.Queue()
        self.plans: queue.Queue[float] = queue.Queue()
        self.troubles: list[str] = []
        self.follower = self.make()

    def make(self) -> FleetFollower:
        return FleetFollower(
            FleetAccess(self.source, self.feed),
            self.fleet,
            FollowOptions(relist_s=RELIST_S, least_gap_s=GAP_S),
            FollowHooks(self.changes.put, self.plans.put, lambda error: self.troubles.append(str(error or ""))),
            self.clock,
            self.log,
        )

    def list_once(self) -> float:
        """List, and the pause that was planned after it."""
        self.follower.list_once()
        return self.plans.get(timeout=WAIT_S)

    def started(self) -> MemoryEvents:
        assert self.list_once() == RELIST_S
        self.changes.get(timeout=WAIT_S)
        return self.feed.next_watch()[1]

    def stop(self) -> None:
        self.clock.is_stopping = True
        self.follower.stop()
        assert self.follower.join(WAIT_S)


@pytest.fixture
def following() -> Iterator[Following]:
    made = Following()
    yield made
    made.stop()


def test_one_list_then_watch_from_the_newest_version(following: Following) -> None:
    assert following.list_once() == RELIST_S
    assert following.changes.get(timeout=WAIT_S).added == ("ns/a", "ns/b")
    since, events = following.feed.next_watch()
    assert since == "9"
    events.tell(FleetEvent(application("c", 11)))
    assert following.changes.get(timeout=WAIT_S) == FleetChange(added=("ns/c",))
    assert following.source.calls == 1


def test_a_fleet_of_nobody_is_one_warning_while_it_lasts(following: Following) -> None:
    everybody = following.source.snapshots
    counts = []
    for snapshots in ((), (), everybody, ()):
        following.source.snapshots = snapshots
        following.list_once()
        counts.append(following.log.count("fleet_empty"))
    assert counts == [1, 1, 1, 2]
    assert "the token sees no Application" in str(following.log.fields_of("fleet_empty")["text"])


def test_filters_that_leave_nobody_are_one_warning_too(following: Following) -> None:
    following.fleet = KnownFleet(lambda _: False)
    following.follower = following.make()
    for _ in range(2):
        following.list_once()
    assert following.log.count("fleet_empty") == 1
    text = str(following.log.fields_of("fleet_empty")["text"])
    assert "none of 2 Applications is to be looked after (--loglevel debug says of each why)" in text


def test_after_a_cut_watch_goes_on_from_the_last_version_and_one_list_is_planned(following: Following) -> None:
    events = following.started()
    events.tell(FleetEvent(application("c", 11)))
    following.changes.get(timeout=WAIT_S)
    events.end()
    since, _ = following.feed.next_watch()
    assert since == "11"
    # The manual clock has moved by the pause before the new Watch only.
    (pause_s,) = following.clock.waits
    assert following.plans.get(timeout=WAIT_S) == pytest.approx(GAP_S - pause_s)
    assert 0.7 <= pause_s <= 1.3


def test_repeated_cuts_share_one_list_per_interval(following: Following) -> None:
    events = following.started()
    for _ in range(20):
        events.tell(FleetEvent(application("a", 1)))
        events.end()
        _, events = following.feed.next_watch()
    assert following.plans.qsize() == 1
    assert following.source.calls == 1


def test_another_gap_holds_from_the_next_cut_on(following: Following) -> None:
    events = following.started()
    following.follower.keep_apart(3 * GAP_S)
    events.end()
    following.feed.next_watch()
    (pause_s,) = following.clock.waits
    assert following.plans.get(timeout=WAIT_S) == pytest.approx(3 * GAP_S - pause_s)


def test_a_cut_long_after_the_last_list_lists_once_the_new_watch_is_settled(following: Following) -> None:
    events = following.started()
    following.clock.advance(GAP_S)
    events.end()
    following.feed.next_watch()
    assert following.plans.get(timeout=WAIT_S) == SETTLE_S


def test_a_cut_during_a_list_asks_for_another_one(following: Following) -> None:
    events = following.started()

    def cut() -> None:
        events.end()
        following.feed.next_watch()

    following.source.before = cut
    assert following.list_once() == GAP_S


def test_watches_that_tell_nothing_come_in_growing_pauses_up_to_thirty_seconds(following: Following) -> None:
    following.clock.jitter = 1.0
    events = following.started()
    for _ in range(8):
        events.end()
        _, events = following.feed.next_watch()
    waits = following.clock.waits
    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= 30.0
    events.tell(FleetEvent(application("a", 1)))
    events.end()
    following.feed.next_watch()
    assert following.clock.waits[-1] == pytest.approx(1.3)


def test_a_first_list_is_repeated_every_five_seconds_for_a_minute(following: Following) -> None:
    following.source.failures = [away() for _ in range(20)]
    pauses = []
    for _ in range(14):
        pauses.append(following.list_once())
        following.clock.advance(pauses[-1])
    assert pauses[:12] == [5.0] * 12
    assert all(5.0 < pause <= 30.0 for pause in pauses[12:])
    assert following.feed.opened.empty()


def test_a_fleet_that_cannot_be_listed_stays_as_it_was(following: Following) -> None:
    following.started()
    following.source.failures = [away(), away()]
    assert following.list_once() <= 1.3
    assert following.list_once() <= 2.6
    assert following.changes.empty()
    assert len(following.fleet) == 2
    assert following.list_once() == RELIST_S
    assert following.troubles == ["", str(away()), str(away()), ""]


def test_the_same_failure_is_recorded_once_per_minute(following: Following) -> None:
    following.source.failures = [away() for _ in range(8)] + [away("something else")]
    for _ in range(8):
        following.clock.advance(9.0)
        following.list_once()
    assert following.log.count("fleet_unreadable") == 2
    following.list_once()
    assert following.log.count("fleet_unreadable") == 3


def test_a_failure_after_a_good_list_is_news(following: Following) -> None:
    following.source.failures = [away()]
    following.list_once()
    following.list_once()
    following.source.failures = [away()]
    following.list_once()
    assert following.log.count("fleet_unreadable") == 2


def test_a_refused_watch_is_an_error_and_is_tried_again(following: Following) -> None:
    following.feed.refusals = [ArgoCDDenied("no"), ArgoCDDenied("no")]
    following.list_once()
    following.feed.next_watch()
    assert following.log.count("watch_failed") == 1
    assert following.log.count("watch_failed_again") == 1


def test_a_bug_in_a_list_is_recorded_and_the_next_list_planned(following: Following) -> None:
    following.source.failures = [RuntimeError("a bug")]
    assert following.list_once() == 5.0
    assert following.log.count("bug_found") == 1
    assert following.list_once() == RELIST_S


def test_a_silent_watch_is_cut_at_the_next_list(following: Following) -> None:
    events = following.started()
    following.clock.advance(RELIST_S - 1.0)
    following.list_once()
    assert not events.is_cancelled
    following.clock.advance(2.0)
    following.list_once()
    assert events.is_cancelled
    following.feed.next_watch()


def test_nothing_is_listed_or_planned_after_the_stop(following: Following) -> None:
    following.started()
    following.stop()
    following.follower.list_once()
    assert following.source.calls == 1
    assert following.plans.empty()


def test_a_second_list_at_the_same_time_leaves_the_work_to_the_first(following: Following) -> None:
    following.source.before = following.follower.list_once
    assert following.list_once() == RELIST_S
    assert following.source.calls == 1
    assert following.plans.empty()
