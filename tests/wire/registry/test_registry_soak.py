"""Hundreds of polls in a row: what a process holds of the system after them, in seconds instead of half a day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.polling.peer import running_registry
from benchmarks.polling.soak import Soak, holdings
from benchmarks.polling.updater import Updater

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.timeout(600)]
REPOSITORIES = 20
WARM_ROUNDS, ROUNDS = 50, 500
MAX_SOCKETS = 15
"""As many requests as one registry gets at a time (``registries.md`` 5.2), each over a connection that is kept."""
MAX_GROWTH_BYTES = 8 * 1024**2
"""Less than one kilobyte for each of ten thousand requests."""


def test_hundreds_of_rounds_leave_nothing_behind(tmp_path: Path) -> None:
    with running_registry() as peer:
        before = holdings()
        with closing(Updater(peer, tmp_path, keeps_facts=True)) as updater:
            soak = Soak(peer, updater, REPOSITORIES)
            warm = soak.poll(WARM_ROUNDS)
            peer.take_tally()
            middle, end = soak.poll(ROUNDS // 2), soak.poll(ROUNDS // 2)
            asked = peer.take_tally().asked
        closed = holdings()
    assert asked["GET tags"] == ROUNDS * (REPOSITORIES + 1), "every round asked"
    assert warm.other_files == middle.other_files == end.other_files
    assert all(before.sockets < held.sockets <= before.sockets + MAX_SOCKETS for held in (warm, middle, end))
    assert warm.threads == middle.threads == end.threads
    assert end.resident_bytes - warm.resident_bytes < MAX_GROWTH_BYTES
    assert (closed.sockets, closed.other_files, closed.threads) == (before.sockets, before.other_files, before.threads)
