"""How far the Date of an answer is from our clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from updater.transport.skew import skew_of

SENT = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
RECEIVED = SENT + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        pytest.param("Fri, 20 Nov 2026 12:00:00 GMT", 0.0, id="in step"),
        pytest.param("Fri, 20 Nov 2026 12:05:00 GMT", 300.0, id="the server is ahead"),
        pytest.param("Fri, 20 Nov 2026 11:58:00 GMT", -120.0, id="the server is behind"),
        pytest.param("Fri, 20 Nov 2026 12:00:00 -0000", 0.0, id="without a zone"),
        pytest.param("", None, id="no date"),
        pytest.param("yesterday", None, id="no date at all"),
    ],
)
def test_the_difference_is_to_the_middle_of_the_exchange(date: str, seconds: float | None) -> None:
    skew = skew_of(date, SENT, RECEIVED)
    assert (None if skew is None else skew.total_seconds()) == seconds
