from __future__ import annotations

import pytest

from updater.registry.options import janitor_period_s, transports_for


@pytest.mark.parametrize(
    ("interval_s", "idle_s", "period_s"),
    [(300, 90, 90), (60, 90, 60), (300, 0, 300), (0, 90, 0), (0, 0, 0)],
    ids=["idle time is shorter", "interval is shorter", "no idle time", "switched off", "neither"],
)
def test_idle_connections_are_let_go_every(interval_s: float, idle_s: float, period_s: float) -> None:
    assert janitor_period_s(interval_s, idle_s) == period_s


@pytest.mark.parametrize(("idle", "pool", "count"), [(1_000, 15, 66), (10, 15, 1), (100_000, 1, 500), (7, 0, 7)])
def test_transports_share_the_idle_connections(idle: int, pool: int, count: int) -> None:
    assert transports_for(idle, pool) == count
