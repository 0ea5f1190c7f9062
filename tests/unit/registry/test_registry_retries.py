from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from updater.clock import Backoff, Deadline
from updater.errors import RegistryAuthError, RegistryError, RegistryProtocolError, RegistryUnavailable
from updater.registry.endpoints import DOCKER_HUB
from updater.registry.measures import RegistryMeasures
from updater.registry.retries import BUDGET_LEAST, Attempts

BACKOFF = Backoff(attempts=3, base_s=0.2, cap_s=3.0)


def failing(*errors: RegistryError) -> Callable[[], str]:
    waiting = list(errors)

    def work() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return work


def retrying(work: Callable[[], str], backoff: Backoff, clock: Any, deadline: Deadline) -> str:
    return Attempts(clock, RegistryMeasures()).run("tags", DOCKER_HUB, backoff, deadline, work)


def test_transient_errors_are_outlived(clock: Any) -> None:
    work = failing(RegistryUnavailable("a"), RegistryUnavailable("b"))
    assert retrying(work, BACKOFF, clock, Deadline.after(clock, 60)) == "done"
    assert clock.waits == pytest.approx([0.2, 0.4])


def test_there_is_no_wait_after_the_last_attempt(clock: Any) -> None:
    work = failing(*(RegistryUnavailable(name) for name in "abcd"))
    with pytest.raises(RegistryUnavailable, match="c"):
        retrying(work, BACKOFF, clock, Deadline.after(clock, 60))
    assert len(clock.waits) == 2


def test_permanent_errors_are_not_repeated(clock: Any) -> None:
    with pytest.raises(RegistryAuthError):
        retrying(failing(RegistryAuthError("no")), BACKOFF, clock, Deadline.after(clock, 60))
    assert clock.waits == []


def test_a_wrong_shape_is_repeated_once(clock: Any) -> None:
    errors = [RegistryProtocolError("html", code="bad_response") for _ in range(3)]
    with pytest.raises(RegistryProtocolError):
        retrying(failing(*errors), BACKOFF, clock, Deadline.after(clock, 60))
    assert len(clock.waits) == 1


def test_retry_after_is_a_lower_bound(clock: Any) -> None:
    assert retrying(failing(RegistryUnavailable("a", retry_after_s=9)), BACKOFF, clock, Deadline.after(clock, 60))
    assert clock.waits == [9]


def test_a_wait_beyond_the_deadline_is_not_begun(clock: Any) -> None:
    with pytest.raises(RegistryUnavailable):
        retrying(failing(RegistryUnavailable("a", retry_after_s=61)), BACKOFF, clock, Deadline.after(clock, 60))
    assert clock.waits == []


def test_a_shutdown_ends_the_attempts(clock: Any) -> None:
    clock.is_shutting_down = True
    with pytest.raises(RegistryUnavailable, match="a"):
        retrying(failing(RegistryUnavailable("a")), BACKOFF, clock, Deadline.after(clock, 60))


def test_a_wait_that_would_hold_a_worker_for_long_is_not_begun(clock: Any) -> None:
    with pytest.raises(RegistryUnavailable):
        retrying(failing(RegistryUnavailable("a", retry_after_s=11)), BACKOFF, clock, Deadline.after(clock, 600))
    assert clock.waits == []


def test_an_outage_does_not_double_the_load(clock: Any) -> None:
    attempts, backoff = Attempts(clock, RegistryMeasures()), Backoff(attempts=2, base_s=0.01, cap_s=0.01)
    work = failing(*(RegistryUnavailable("down") for _ in range(200)))
    for _ in range(40):
        with pytest.raises(RegistryUnavailable):
            attempts.run("tags", DOCKER_HUB, backoff, Deadline.after(clock, 600), work)
    assert len(clock.waits) == BUDGET_LEAST
    clock.at_s += 61
    with pytest.raises(RegistryUnavailable):
        attempts.run("tags", DOCKER_HUB, backoff, Deadline.after(clock, 600), work)
    assert len(clock.waits) == BUDGET_LEAST + 1, "a new minute, a new budget"
