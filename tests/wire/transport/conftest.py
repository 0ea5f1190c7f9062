from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from updater.clock import Deadline, SystemClock
from updater.transport.http import HttpOptions, HttpTransport


@pytest.fixture(scope="session")
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def within(clock: SystemClock) -> Callable[[float], Deadline]:
    """``within(2)``: the deadline two seconds from now."""
    return lambda seconds: Deadline.after(clock, seconds)


@pytest.fixture
def make(clock: SystemClock) -> Iterator[Callable[..., HttpTransport]]:
    """Makes transports from fields of their options and closes them at the end, with every thread they started."""
    made: list[HttpTransport] = []
    before = set(threading.enumerate())

    def build(**options: Any) -> HttpTransport:
        transport = HttpTransport(HttpOptions(**options), clock)
        made.append(transport)
        return transport

    yield build
    for transport in made:
        transport.close()
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "deadlines"]
