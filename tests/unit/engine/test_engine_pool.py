"""Work in threads: as many as there is work for, and none for a single piece."""

from __future__ import annotations

import threading

import pytest

from updater.engine.facts import in_pool


@pytest.mark.parametrize(("items", "workers"), [(1, 8), (5, 1), (0, 8)])
def test_one_thread_is_the_one_that_asks(items: int, workers: int) -> None:
    threads = in_pool(lambda _: threading.current_thread(), list(range(items)), workers, "pool")
    assert threads == [threading.current_thread()] * items


def test_several_pieces_run_side_by_side_and_keep_their_order() -> None:
    everybody = threading.Barrier(3)

    def work(item: int) -> tuple[int, str]:
        everybody.wait(20)
        return item, threading.current_thread().name[:4]

    assert in_pool(work, [1, 2, 3], 8, "pool") == [(1, "pool"), (2, "pool"), (3, "pool")]
