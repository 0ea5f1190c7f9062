"""Repeating what may succeed a moment later, at exactly one layer per kind of request (``registries.md`` 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from updater.clock import Backoff, Clock, Deadline
from updater.errors import RegistryError
from updater.registry.failures import may_be_repeated

T = TypeVar("T")


def retrying(work: Callable[[], T], backoff: Backoff, clock: Clock, deadline: Deadline) -> T:
    """The result of ``work``, attempted again after transient errors; the last error when attempts or time run out.

    What a server asks for in Retry-After is a lower bound of the wait. A wait that the deadline does not allow is not
    begun, and one that the shutdown ends is the last.
    """
    failed_attempts = 0
    while True:
        try:
            return work()
        except RegistryError as error:
            failed_attempts += 1
            if failed_attempts >= backoff.attempts or not may_be_repeated(error, failed_attempts):
                raise
            delay_s = backoff.delay_s(failed_attempts - 1, clock, at_least_s=error.retry_after_s or 0.0)
            if delay_s >= deadline.remaining_s() or not clock.wait_s(delay_s):
                raise
