from __future__ import annotations

from datetime import UTC, datetime

import pytest

from updater.clock import SystemClock
from updater.errors import ForgeError
from updater.forge.answers import Answer
from updater.forge.limits import DEFAULT_WAIT_S, MAX_WAIT_S, RateLimits, renewal_s
from updater.transport.redaction import Secret


class Clock(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)


@pytest.mark.parametrize(
    ("retry_after_s", "reset", "wait_s"),
    [
        pytest.param(7.0, "1300", 7.0, id="what is asked for"),
        pytest.param(None, "1300", 300.0, id="moment of renewal"),
        pytest.param(None, "900", 0.0, id="moment that is over"),
        pytest.param(None, "99999999999", MAX_WAIT_S, id="too long"),
        pytest.param(None, "9" * 400, DEFAULT_WAIT_S, id="no number"),
        pytest.param(None, "", DEFAULT_WAIT_S, id="nothing"),
    ],
)
def test_the_wait_is_what_the_answer_tells(retry_after_s: float | None, reset: str, wait_s: float) -> None:
    answer = Answer("GET", "https://x", 403, {"x-ratelimit-reset": reset}, b"")
    assert renewal_s(answer, retry_after_s, Clock()) == wait_s


def test_one_token_waits_and_others_do_not() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    mine, other = ("https://x", Secret("a")), ("https://x", Secret("b"))
    limits.used_up(mine, 10.0)
    limits.check(other)
    clock.now_s += 9.0
    with pytest.raises(ForgeError, match="another 1 s") as caught:
        limits.check(mine)
    assert (caught.value.code, caught.value.retryable) == ("pr_failed", False)
    clock.now_s += 1.0
    limits.check(mine)
