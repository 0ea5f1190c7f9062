from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 3, 1, tzinfo=UTC)


class ManualClock:
    """A clock that only moves when somebody waits; ``waits`` is what was waited."""

    def __init__(self) -> None:
        self.at_s = 1000.0
        self.waits: list[float] = []
        self.is_shutting_down = False

    def now(self) -> datetime:
        return START + timedelta(seconds=self.at_s - 1000.0)

    def monotonic_s(self) -> float:
        return self.at_s

    def wait_s(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.at_s += seconds
        return not self.is_shutting_down

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
