"""A thousand write-backs, good and bad: afterwards the process has what it had before, and nothing lies about."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.bench import Bench, Make, failing_edit, intent_for
from updater.errors import WriteBackError
from updater.git.workplaces import PREFIX, secret_root
from updater.playground.git_remote import BareRepository
from updater.writeback.git_intents import GitIntent

BRANCHES = 20
ROUNDS = 50
BAD = 5
"""Of the branches: each is refused, missing, or fails in its own way in every round."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_write_backs_leave_nothing_behind(remote: BareRepository, make_bench: Make, tmp_path: Path) -> None:
    remote.add_hook("update", 'case $1 in */frozen) echo "frozen" >&2; exit 1;; esac')
    bench = make_bench()
    gone = (tmp_path / "gone").as_uri()
    _round(bench, remote.url, gone, 0)
    before, outcomes = _held(), Counter[str]()
    for number in range(1, ROUNDS + 1):
        outcomes += _round(bench, remote.url, gone, number)
    after = _held()
    assert outcomes == {
        "written": ROUNDS * (BRANCHES - BAD),
        "unchanged": ROUNDS,
        "push_denied": ROUNDS,
        "repo_not_found": ROUNDS,
        "branch_not_found": ROUNDS,
        "bad_key": ROUNDS,
    }
    assert {name: count for name, count in after.items() if count > before[name]} == {}
    assert all(remote.count(f"b/{number}") == remote.count() + ROUNDS + 1 for number in range(BRANCHES - BAD))


def _round(bench: Bench, url: str, gone: str, number: int) -> Counter[str]:
    """Many branches at once: outcomes, and codes of failures."""
    results = bench.write(*_intents(url, gone, f"2.0.{number}"), within_s=300)
    return Counter(result.error_code or result.outcome.value for result in results)


def _intents(url: str, gone: str, tag: str) -> Iterator[GitIntent]:
    for branch in range(BRANCHES - BAD):
        yield intent_for(url, tag, write_branch=f"b/{branch}")
    yield intent_for(url, "1.0.0", write_branch="same")
    yield intent_for(url, tag, write_branch="b/frozen")
    yield intent_for(gone, tag)
    yield intent_for(url, tag, revision="nowhere")
    yield intent_for(url, tag, write_branch="bad", edit=failing_edit(WriteBackError("no", code="bad_key")))


def _held() -> dict[str, int]:
    """What a process can leave behind."""
    gc.collect()
    roots = {Path(tempfile.gettempdir()), secret_root() or Path(tempfile.gettempdir())}
    return {
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "folders": sum(1 for root in roots for _ in root.glob(f"{PREFIX}{os.getpid()}-*")),
        "threads": threading.active_count(),
        "children": sum(1 for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == os.getpid()),
    }


def _parent(path: Path) -> int:
    """The parent of a process, 0 when it has ended meanwhile."""
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
