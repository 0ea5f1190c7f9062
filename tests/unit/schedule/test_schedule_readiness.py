"""Readiness by the age of what was done last."""

from __future__ import annotations

import pytest

from updater.schedule.readiness import Pulse, why_not_ready

NOW = 10_000.0


def pulse(**facts: object) -> Pulse:
    usual = {"now_s": NOW, "interval_s": 120.0, "began_s": 0.0, "listed_s": NOW, "worked_s": NOW, "applications": 3}
    return Pulse(**{**usual, **facts})


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="everything just happened"),
        pytest.param({"worked_s": NOW - 600}, id="work is as old as it may be"),
        pytest.param({"worked_s": NOW - 900, "interval_s": 300.0}, id="three intervals are longer"),
        pytest.param({"worked_s": NOW - 5_000, "applications": 0}, id="nothing to work on"),
        pytest.param({"worked_s": None, "began_s": NOW - 599}, id="the first cycle still runs"),
        pytest.param({"listed_s": None, "worked_s": None, "applications": 0, "began_s": NOW}, id="just begun"),
        pytest.param({"listed_s": NOW - 1_100, "relist_s": 600.0}, id="Lists are rare while Watch tells changes"),
    ],
)
def test_it_is_ready_while(facts: dict[str, object]) -> None:
    assert why_not_ready(pulse(**facts)) == ""


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param({"began_s": None}, "caches are not warm yet", id="warm-up"),
        pytest.param({"is_stopping": True}, "is shutting down", id="shutdown"),
        pytest.param({"worked_s": NOW - 601}, "has finished for 10m1s, with 3 Applications", id="work is too old"),
        pytest.param({"worked_s": NOW - 901, "interval_s": 300.0}, "has finished for 15m1s", id="three intervals"),
        pytest.param({"worked_s": None, "began_s": NOW - 700}, "has finished for 11m40s", id="never finished"),
        pytest.param({"listed_s": NOW - 601}, "could not be listed for 10m1s", id="the fleet is too old"),
        pytest.param({"listed_s": None, "began_s": NOW - 700}, "could not be listed for 11m40s", id="never listed"),
        pytest.param({"listed_s": NOW - 1_201, "relist_s": 600.0}, "could not be listed for 20m1s", id="rare Lists"),
    ],
)
def test_it_is_not_ready_and_says_why(facts: dict[str, object], reason: str) -> None:
    assert reason in why_not_ready(pulse(**facts))
