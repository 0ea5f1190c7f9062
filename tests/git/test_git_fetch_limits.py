"""Remotes that send more than the operator accepts: refused by name, without a trace, and without cost to others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.git.bench import BenchOptions, Make, intent_for
from updater.git.options import Admission, FetchMode, GitOptions
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository

LIMIT = 512 * 1024
HUGE = 2 * LIMIT


def _options(cache: Path, mode: FetchMode, limit: int) -> BenchOptions:
    git = GitOptions(cache_folder=cache, mode=mode, admission=Admission(allows_local=True), max_fetch_bytes=limit)
    return BenchOptions(git=git)


@pytest.fixture
def other(tmp_path: Path) -> BareRepository:
    made = BareRepository(tmp_path / "other")
    made.commit({"apps/shop/values.yaml": "image:\n  tag: 1.0.0\n"})
    return made


def test_a_remote_that_sends_too_much_is_refused_and_costs_no_other(
    remote: BareRepository, other: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    remote.commit({"huge": os.urandom(HUGE)})
    before = remote.tip()
    bench = make_bench(_options(tmp_path / "cache", FetchMode.SHALLOW, LIMIT))
    refused, written = bench.write(intent_for(remote.url, "1.1.0"), intent_for(other.url, "1.1.0"))
    assert (refused.outcome, refused.error_code) == (WriteOutcome.FAILED, "fetch_too_large")
    assert f"more than {LIMIT} bytes" in refused.error
    assert "--git-max-fetch-size" in refused.error
    assert written.outcome is WriteOutcome.WRITTEN
    assert remote.tip() == before
    assert list((tmp_path / "cache").rglob("tmp_*")) == []


@pytest.mark.parametrize(
    ("mode", "limit"),
    [
        pytest.param(FetchMode.PARTIAL, LIMIT, id="the large file is not wanted"),
        pytest.param(FetchMode.SHALLOW, 0, id="no limit"),
    ],
)
def test_what_stays_below_the_limit_is_fetched(
    remote: BareRepository, make_bench: Make, tmp_path: Path, mode: FetchMode, limit: int
) -> None:
    remote.commit({"huge": os.urandom(HUGE)})
    bench = make_bench(_options(tmp_path / "cache", mode, limit))
    assert bench.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN


def test_a_raised_limit_is_enough(remote: BareRepository, make_bench: Make, tmp_path: Path) -> None:
    remote.commit({"huge": os.urandom(HUGE)})
    refusing = make_bench(_options(tmp_path / "cache", FetchMode.SHALLOW, LIMIT))
    assert refusing.write_one(intent_for(remote.url, "1.1.0")).error_code == "fetch_too_large"
    refusing.close()
    bench = make_bench(_options(tmp_path / "cache", FetchMode.SHALLOW, 2 * HUGE))
    assert bench.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
