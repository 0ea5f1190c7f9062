"""Its place here lets every test below import ``fault_site`` and ``hurried_time``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apscheduler.schedulers.background
import pytest
from fault_site import Site
from hurried_time import HurriedClock, hurried_event, hurried_threading

import updater.transport.watchdog

SPEED = 100.0


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site where a minute takes 0.6 s, and longer where the machine is busy."""
    monkeypatch.setattr(apscheduler.schedulers.background, "Event", hurried_event(SPEED))
    monkeypatch.setattr(updater.transport.watchdog, "threading", hurried_threading(SPEED))
    clock = HurriedClock(SPEED)
    made = Site(tmp_path, clock)
    yield made
    made.close()
    clock.end()
