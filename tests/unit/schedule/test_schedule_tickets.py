"""When everything that an event asked for has ended, and what it came to."""

from __future__ import annotations

from schedule_fleet import RecordingLog

from updater.model.references import ImageRepository
from updater.schedule.tickets import Tickets

API = ImageRepository("ghcr.io", "acme/api")
WEB = ImageRepository("ghcr.io", "acme/web")
ONE = {"applications": 1, "images_updated": 2, "errors": 0, "images_skipped": 1}


def opened(*keys: str) -> tuple[Tickets, RecordingLog]:
    tickets, log = Tickets(), RecordingLog()
    tickets.open(keys, frozenset({API}), log)
    return tickets, log


def test_the_sums_are_told_when_the_last_attempt_has_ended() -> None:
    tickets, log = opened("a", "b")
    tickets.began(["a", "b"])
    tickets.counted("a", ONE)
    tickets.ended("a")
    assert not tickets.wait_settled(0)
    assert tickets.is_open_about(API)
    assert not tickets.is_open_about(WEB)
    tickets.counted("b", {"applications": 1, "errors": 1})
    tickets.ended("b")
    assert tickets.wait_settled(0)
    assert not tickets.is_open_about(API)
    assert log.records == [("webhook_finished", {"processed": 2, "updated": 2, "errors": 1, "skipped": 1})]


def test_an_attempt_that_ran_before_the_event_does_not_count() -> None:
    tickets, log = Tickets(), RecordingLog()
    tickets.began(["a"])
    tickets.open(["a"], frozenset({API}), log)
    tickets.counted("a", ONE)
    tickets.ended("a")
    assert not tickets.wait_settled(0)
    tickets.began(["a"])
    tickets.ended("a")
    assert tickets.wait_settled(0)
    assert log.fields_of("webhook_finished")["processed"] == 0


def test_one_attempt_may_end_two_events() -> None:
    tickets, first = opened("a")
    second = RecordingLog()
    tickets.open(["a"], frozenset({WEB}), second)
    tickets.began(["a"])
    tickets.counted("a", ONE)
    tickets.ended("a")
    assert [log.count("webhook_finished") for log in (first, second)] == [1, 1]


def test_who_leaves_the_fleet_is_not_waited_for() -> None:
    tickets, _ = opened("a", "b")
    tickets.gone("a")
    tickets.gone("unknown")
    tickets.began(["b"])
    tickets.gone("b")
    assert not tickets.wait_settled(0), "it runs"
    tickets.ended("b")
    assert tickets.wait_settled(0)


def test_an_event_about_nobody_is_never_open() -> None:
    tickets, log = opened()
    assert tickets.wait_settled(0)
    assert log.records == []
