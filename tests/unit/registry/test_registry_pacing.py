from __future__ import annotations

from typing import Any

import pytest

from updater.clock import Deadline
from updater.errors import RegistryUnavailable, RegistryUnreachable
from updater.registry.answers import Answer
from updater.registry.endpoints import DOCKER_HUB, Endpoint
from updater.registry.gates import FIRST_S, LONGEST_S, MAX_WAIT_S, GateKey, Gates, Route
from updater.registry.pacing import BURST, RequestRate, RequestRates, RequestSlots
from updater.registry.port_exhaustion import PortExhaustion
from updater.registry.pull_limits import limits_pulls, pull_pause_s

KEY = GateKey(Route.API, "https://r.test:443")


def test_saved_turns_are_taken_at_once_and_then_one_at_a_time(clock: Any) -> None:
    rate, deadline = RequestRate(clock, 10), Deadline.after(clock, 60)
    for _ in range(BURST + 3):
        rate.take("r.test", deadline)
    assert sum(clock.waits) == pytest.approx(0.2)
    clock.at_s += 3_600
    clock.waits.clear()
    for _ in range(BURST + 1):
        rate.take("r.test", Deadline.after(clock, 60))
    assert sum(clock.waits) == pytest.approx(0.0, abs=1e-6)
    rate.take("r.test", Deadline.after(clock, 60))
    assert sum(clock.waits) == pytest.approx(0.1), "no more are saved, however long nobody asked"


def test_a_turn_after_the_deadline_is_not_taken(clock: Any) -> None:
    rate = RequestRate(clock, 1)
    for _ in range(BURST + 1):
        rate.take("r.test", Deadline.after(clock, 60))
    for _ in range(3):
        with pytest.raises(RegistryUnreachable) as raised:
            rate.take("r.test", Deadline.after(clock, 0.5))
        assert raised.value.code == "registry_timeout"
    rate.take("r.test", Deadline.after(clock, 60))
    assert clock.waits == [1.0], "turns that were given up are not lost"


def test_a_shutdown_ends_the_wait_for_a_turn(clock: Any) -> None:
    rate, deadline = RequestRate(clock, 1), Deadline.after(clock, 60)
    for _ in range(BURST + 1):
        rate.take("r.test", deadline)
    clock.is_shutting_down = True
    with pytest.raises(RegistryUnreachable) as raised:
        rate.take("r.test", deadline)
    assert raised.value.code == "cancelled"


@pytest.mark.parametrize("per_s", [0, -1])
def test_no_limit_is_no_wait(clock: Any, per_s: int) -> None:
    rates = RequestRates(clock)
    for _ in range(1_000):
        rates.take("key", per_s, "r.test", Deadline.after(clock, 60))
    assert clock.waits == []


def test_keys_have_rates_of_their_own(clock: Any) -> None:
    rates = RequestRates(clock)
    for key in ("one", "other"):
        for _ in range(BURST):
            rates.take(key, 1, "r.test", Deadline.after(clock, 60))
    assert clock.waits == []


def test_no_more_than_the_slots_are_held(clock: Any) -> None:
    slots, now = RequestSlots(3), Deadline.after(clock, 0)
    with slots.hold("a", 1, "r.test", now):
        with pytest.raises(RegistryUnreachable, match="no connection"), slots.hold("a", 1, "r.test", now):
            pytest.fail("a has one slot")
        with (
            slots.hold("b", 2, "r.test", now),
            slots.hold("b", 2, "r.test", now),
            pytest.raises(RegistryUnreachable),
            slots.hold("c", 1, "r.test", now),
        ):
            pytest.fail("three are held in all")
        with slots.hold("c", 1, "r.test", now):
            pass
    with slots.hold("a", 1, "r.test", now):
        pass


def test_an_open_gate_holds_nobody_up(clock: Any) -> None:
    gates = Gates(clock)
    gates.pass_through([KEY], "r.test", Deadline.after(clock, 1))
    assert clock.waits == []


def test_a_short_pause_is_waited(clock: Any) -> None:
    gates = Gates(clock)
    gates.refused(KEY, 3.0)
    gates.pass_through([KEY], "r.test", Deadline.after(clock, 60))
    assert clock.waits == [3.0]


@pytest.mark.parametrize(("pause_s", "within_s"), [(MAX_WAIT_S + 1, 600.0), (3.0, 2.0)], ids=["long", "too late"])
def test_a_gate_gives_the_worker_back(clock: Any, pause_s: float, within_s: float) -> None:
    gates = Gates(clock)
    gates.refused(KEY, pause_s)
    with pytest.raises(RegistryUnavailable) as raised:
        gates.pass_through([KEY], "r.test", Deadline.after(clock, within_s))
    assert (raised.value.code, raised.value.retry_after_s) == ("rate_limited", pause_s)
    assert clock.waits == []


def test_pauses_nobody_named_double_up_to_a_bound_and_are_forgiven(clock: Any) -> None:
    gates = Gates(clock)
    pauses = [gates.refused(KEY, None) for _ in range(10)]
    assert pauses[:3] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    assert pauses[-1] == LONGEST_S
    for _ in range(9):
        gates.answered(KEY)
    assert gates.refused(KEY, None) == LONGEST_S
    for _ in range(10):
        gates.answered(KEY)
    assert gates.refused(KEY, None) == FIRST_S


def test_a_shorter_pause_does_not_open_a_gate_early(clock: Any) -> None:
    gates = Gates(clock)
    gates.refused(KEY, 60.0)
    gates.refused(KEY, 1.0)
    assert gates.closed_for_s(KEY) == 60.0


def test_a_limit_of_pulls_concerns_its_credentials_alone(clock: Any) -> None:
    gates = Gates(clock)
    gates.refused(GateKey(Route.API, KEY.origin, "ann"), 600.0)
    assert gates.closed_for_s(KEY) == 0
    assert gates.closed_for_s(GateKey(Route.API, KEY.origin, "bob")) == 0


def test_a_shutdown_ends_the_wait_at_a_gate(clock: Any) -> None:
    gates = Gates(clock)
    gates.refused(KEY, 3.0)
    clock.is_shutting_down = True
    with pytest.raises(RegistryUnreachable) as raised:
        gates.pass_through([KEY], "r.test", Deadline.after(clock, 60))
    assert raised.value.code == "cancelled"


@pytest.mark.parametrize(
    ("remaining", "limit", "pause_s"),
    [
        ("76;w=21600", "100;w=21600", None),
        ("9;w=21600", "100;w=21600", 21_600.0),
        ("19;w=3600", "200;w=3600", 3_600.0),
        ("20;w=3600", "200;w=3600", None),
        ("4;w=3600", "", 3_600.0),
        ("5;w=3600", "", None),
        ("0", "100", None),
        ("", "", None),
        ("many", "100;w=1", None),
    ],
)
def test_a_pause_is_made_before_the_last_pulls(remaining: str, limit: str, pause_s: float | None) -> None:
    headers = {"ratelimit-remaining": (remaining,), "ratelimit-limit": (limit,)}
    assert pull_pause_s(Answer(200, headers)) == pause_s


def test_only_docker_hub_counts_pulls() -> None:
    assert limits_pulls(DOCKER_HUB)
    assert not limits_pulls(Endpoint(name="q", prefix="quay.io", api_url="https://quay.io"))


@pytest.mark.parametrize(
    ("events", "probe", "is_critical"),
    [
        (range(93, 100), 100, False),
        (range(92, 100), 100, True),
        (range(92, 100), 155, False),
        ([40, *range(93, 100)], 100, False),
        ([1, 2, 3, *range(92, 100)], 100, True),
    ],
    ids=["below the threshold", "at the threshold", "out of the window", "one just too old", "old ones do not count"],
)
def test_ports_are_exhausted_when(clock: Any, events: Any, probe: float, is_critical: bool) -> None:  # noqa: FBT001 - a table
    ports = PortExhaustion(clock)
    for moment in events:
        clock.at_s = 1_000.0 + moment
        ports.record()
    clock.at_s = 1_000.0 + probe
    assert ports.is_critical is is_critical


def test_the_first_failure_of_a_window_is_told(clock: Any) -> None:
    ports = PortExhaustion(clock, window_s=60)
    assert ports.record()
    clock.at_s += 59
    assert not ports.record()
    clock.at_s += 61
    assert ports.record()
