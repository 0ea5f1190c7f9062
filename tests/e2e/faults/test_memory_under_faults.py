"""What goes wrong again and again is not remembered for ever: memory and threads stay flat."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_site import BAD_HOST, MOST_THREADS, KeptLog, Site
from hurried_time import HurriedClock

from updater.ports.log import Field

pytestmark = [pytest.mark.wire, pytest.mark.e2e, pytest.mark.slow]

CODE = Path(__file__).parents[3] / "updater"
NAMES = [f"app-{number}" for number in range(20)]
BROKEN = [f"broken-{number}" for number in range(10)]
INTERVAL_S = 20.0
FIRST_S, LATER_S = 400.0, 1_000.0
MOST_BYTES = 200_000
"""What is under way at two moments differs by up to 80 kB; a leak of 200 bytes in each of 1,200 attempts is more."""


LOOKS = 3
"""What has leaked is there at every look; the four megabytes into which a file is being read are not."""
LEAST_ATTEMPTS = 300


class CountingLog(KeptLog):
    """Keeps no record, which would be what grows."""

    def __init__(self, clock: HurriedClock) -> None:
        super().__init__(clock)
        self.counts: Counter[str] = Counter()

    def _keep(self, level: str, event: str, fields: dict[str, Field]) -> None:
        del level, fields
        self.counts[event] += 1

    def bind(self, **fields: Field) -> CountingLog:
        del fields
        return self


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held() -> tracemalloc.Snapshot:
    """What the updater's own lines have allocated and somebody holds; the servers run in this process too."""
    return min((_look() for _ in range(LOOKS)), key=lambda look: sum(each.size for each in look.statistics("filename")))


def _look() -> tracemalloc.Snapshot:
    gc.collect()
    filters = (tracemalloc.Filter(True, f"{CODE}/*"), tracemalloc.Filter(False, f"{CODE}/playground/*"))
    return tracemalloc.take_snapshot().filter_traces(filters)


def go_wrong(site: Site, seconds: float) -> None:
    """Watch is cut every 5 seconds for so long."""
    until_s = site.clock.elapsed_s + seconds
    while site.clock.elapsed_s < until_s:
        site.world.end_watches()
        site.pass_time(5)


@pytest.mark.usefixtures("traced")
def test_memory_and_threads_stay_flat_while_everything_fails_in_passing(site: Site) -> None:
    site.log = log = CountingLog(site.clock)
    site.add(NAMES)
    site.add(BROKEN, BAD_HOST)
    site.serve()
    site.start(interval_s=INTERVAL_S)
    assert site.world.wait_for_watchers(1, 20)
    site.api.faults.answer(503, every=10)
    site.registry.faults.status(503, every=10)
    site.bad_registry.faults.status(500)
    go_wrong(site, FIRST_S)
    before, attempts = held(), log.counts["application_started"]
    go_wrong(site, LATER_S)
    while log.counts["application_started"] - attempts < LEAST_ATTEMPTS:
        go_wrong(site, INTERVAL_S)
    assert len(site.threads()) <= MOST_THREADS, site.threads()
    grown = held().compare_to(before, "lineno")
    assert sum(each.size_diff for each in grown) < MOST_BYTES, [str(each) for each in grown[:10]]
