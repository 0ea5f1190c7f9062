"""Real repositories, the real adapter, the real writer: what the tests of method git stand on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.git.bench import Bench, BenchOptions
from updater.playground.git_remote import BareRepository


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    """A repository with one values file."""
    repository = BareRepository(tmp_path / "remote.git")
    repository.commit({"apps/shop/values.yaml": "image:\n  name: shop  # ours\n  tag: 1.0.0\n"}, message="begin")
    return repository


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes writers, each with mirrors of its own; all are closed after the test."""
    made: list[Bench] = []

    def make(options: BenchOptions | None = None) -> Bench:
        bench = Bench(options or BenchOptions(), threading.Event())
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A writer with default settings that may write local repositories."""
    return make_bench()
