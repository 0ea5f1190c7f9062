"""What the log says of a round that has nothing to do, or a registry that does not answer."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.unit.engine.fleet import MemoryRegistry, MemoryWriteBack, RecordingLog, helm_application, run_round
from updater.clock import Deadline, SystemClock
from updater.engine.engine import Engine, EngineOptions, Experience
from updater.engine.writing import Writers
from updater.model.applications import ApplicationSnapshot, HelmParameter
from updater.planning.plans import PlanOptions
from updater.ports.progress import NoProgress
from updater.rules.name_patterns import compile_name_patterns

GONE = "registry.example.com"


def on_broken_registry(count: int) -> list[ApplicationSnapshot]:
    names = [f"{GONE}/shop/web-{number}" for number in range(count)]
    return [
        helm_application(f"app-{number}", f"web={name}:~1.0", live=[f"{name}:1.0.0"])
        for number, name in enumerate(names)
    ]


def test_a_broken_registry_is_one_error_and_every_image_is_counted() -> None:
    log = RecordingLog()
    well = helm_application("well", "web=ghcr.io/acme/web:~1.0", live=["ghcr.io/acme/web:1.0.0"])

    report = run_round([*on_broken_registry(50), well], MemoryRegistry({"ghcr.io/acme/web": ["1.0.1"]}), log=log)

    assert log.events("error") == ["registry_failed"]
    (fields,) = [fields for level, _, fields in log.records if level == "error"]
    assert (fields["registry"], fields["images"], fields["applications"]) == (GONE, 50, 50)
    assert fields["examples"] == f"{GONE}/shop/web-0, {GONE}/shop/web-1, {GONE}/shop/web-2, ..."
    assert log.events("debug").count("image_failed") == 50
    assert (report.totals["errors"], report.totals["images_updated"]) == (50, 1)


class MinuteHand(SystemClock):
    """Moves when a test says so."""

    seconds = 1000.0

    def monotonic_s(self) -> float:
        return self.seconds


def test_applications_attempted_one_by_one_say_the_cause_they_share_once_a_minute() -> None:
    log, clock = RecordingLog(), MinuteHand()
    registry, experience = MemoryRegistry({}), Experience(log, clock=clock)
    engine = Engine(
        registry, Writers(MemoryWriteBack()), EngineOptions(is_cycle=False), clock, experience, threading.Event()
    )
    for _ in range(3):
        for application in on_broken_registry(10):
            engine.process([application], Deadline.after(clock, 30), NoProgress())
        clock.seconds += 61
    errors = [(event, fields.get("images")) for level, event, fields in log.records if level == "error"]
    # The first names itself; a later one speaks for all that were met since.
    assert errors == [("image_failed", None), ("registry_failed", 10), ("registry_failed", 10)]


def test_one_image_that_fails_names_itself() -> None:
    log = RecordingLog()

    run_round(on_broken_registry(1), MemoryRegistry({}), log=log)

    assert log.events("error") == ["image_failed"]


def test_records_of_images_and_writes_name_what_people_look_for() -> None:
    log = RecordingLog()
    shop = helm_application("shop", "web=ghcr.io/acme/web:~1.0", live=["ghcr.io/acme/web:1.0.0"])
    run_round([shop], MemoryRegistry({"ghcr.io/acme/web": ["1.0.1"]}), log=log)

    named = {"application": str(shop.key), "namespace": shop.key.namespace}
    fields = {event: found for level, event, found in log.records if level == "info"}
    image = {"alias": "web", "registry": "ghcr.io", "image_name": "ghcr.io/acme/web", "image_tag": "1.0.0"}
    assert fields["image_set"] == {**named, **image, "image": "ghcr.io/acme/web:1.0.1"}
    assert {event for event, found in fields.items() if named.items() <= found.items()} == {
        "image_set",
        "image_updated",
        "write_finished",
        "write_started",
    }


def _loud_records(image_lists: list[str]) -> list[list[str]]:
    """Warnings and errors of one Application's rounds, one image list after the other."""
    log, clock = RecordingLog(), SystemClock()
    registry = MemoryRegistry({"ghcr.io/acme/web": ["1.0.0"]})
    engine = Engine(
        registry, Writers(MemoryWriteBack()), EngineOptions(), clock, Experience(log, clock=clock), threading.Event()
    )
    rounds = []
    for images in image_lists:
        log.records.clear()
        shop = helm_application("shop", images, live=["ghcr.io/acme/web:1.0.0"])
        engine.process([shop], Deadline.after(clock, 30), NoProgress())
        rounds.append(log.events("warning") + log.events("error"))
    return rounds


WRONG, OTHERWISE_WRONG, GOOD = (f"web=ghcr.io/acme/web:{constraint}" for constraint in ("~one", "~two", "~1.0"))


def test_an_annotation_that_cannot_be_followed_is_one_error_until_it_changes() -> None:
    rounds = _loud_records([WRONG, WRONG, OTHERWISE_WRONG, GOOD, OTHERWISE_WRONG])
    assert rounds == [["image_failed"], [], ["image_failed"], [], ["image_failed"]]


def test_an_entry_that_is_no_image_is_one_warning() -> None:
    assert _loud_records([f"{GOOD}, :", f"{GOOD}, :"]) == [["annotation_remarked"], []]


def test_an_image_that_waits_for_the_cluster_is_told_once_and_without_an_empty_text() -> None:
    log, clock = RecordingLog(), SystemClock()
    shop = helm_application("shop", GOOD, live=["ghcr.io/acme/web:1.0.0"])
    pairs = (("image.name", "ghcr.io/acme/web"), ("image.tag", "1.0.1"))
    wanted = tuple(HelmParameter(name, value, force_string=True) for name, value in pairs)
    is_set = replace(shop, sources=(replace(shop.sources[0], helm_parameters=wanted),))
    registry = MemoryRegistry({"ghcr.io/acme/web": ["1.0.1"]})
    engine = Engine(registry, Writers(MemoryWriteBack()), EngineOptions(), clock, Experience(log), threading.Event())
    for _ in range(2):
        engine.process([is_set], Deadline.after(clock, 30), NoProgress())
    loud, quiet = [(level, fields) for level, event, fields in log.records if event == "image_left_alone"]
    assert (loud[1]["reason"], "text" in loud[1]) == ("already_set", False)
    assert (loud[0], quiet[0]) == ("info", "debug")


def test_a_fleet_of_nobody_warns() -> None:
    log = RecordingLog()

    run_round([], MemoryRegistry({}), log=log)

    (fields,) = [fields for _, event, fields in log.records if event == "fleet_empty"]
    assert "sees no Application" in str(fields["text"])


def test_filters_that_leave_nobody_warn_once_with_the_reasons() -> None:
    log, clock = RecordingLog(), SystemClock()
    options = EngineOptions(PlanOptions(name_patterns=compile_name_patterns(["other-*"])))
    engine = Engine(MemoryRegistry({}), Writers(MemoryWriteBack()), options, clock, Experience(log), threading.Event())

    for _ in range(2):
        engine.process(on_broken_registry(3), Deadline.after(clock, 30), NoProgress())

    (fields,) = [fields for _, event, fields in log.records if event == "fleet_empty"]
    assert "none of 3 Applications is to be looked after (3: its name matches no name pattern)" in str(fields["text"])


def test_what_the_filters_leave_out_is_not_warned_about() -> None:
    empty = helm_application("frozen", " , ", live=[])
    log = RecordingLog()
    run_round([empty], MemoryRegistry({}), log=log)
    assert "application_skipped" in log.events("warning")

    log = RecordingLog()
    options = EngineOptions(PlanOptions(name_patterns=compile_name_patterns(["other-*"])))
    run_round([empty], MemoryRegistry({}), log=log, options=options)
    assert log.events("warning") == ["fleet_empty"]


def test_a_round_that_was_stopped_says_so() -> None:
    stopping = threading.Event()
    stopping.set()

    assert run_round(on_broken_registry(2), MemoryRegistry({}), stopping=stopping).is_interrupted


@pytest.mark.parametrize(("count", "event"), [(1, "image_failed"), (3, "registry_failed")])
def test_registries_that_a_shutdown_left_unasked_are_no_error(count: int, event: str) -> None:
    log, stopping = RecordingLog(), threading.Event()
    stopping.set()

    run_round(on_broken_registry(count), MemoryRegistry({}), log=log, stopping=stopping)

    assert log.events("error") == []
    (code,) = [fields["code"] for level, name, fields in log.records if (level, name) == ("info", event)]
    assert code == "shutting_down"
