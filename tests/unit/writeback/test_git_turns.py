"""One writer per target, whatever else happens to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.git.bench import intent_for
from updater.clock import Deadline, SystemClock
from updater.errors import GitError
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.model.git_targets import GitTarget
from updater.ports.git import GitRemotes, GitSession
from updater.ports.log import NullLog
from updater.telemetry.metrics import PrometheusMetrics
from updater.writeback.git import GitWriteBack
from updater.writeback.git_options import GitWriteOptions

_CLOCK = SystemClock()


class ClosedRemotes:
    """Remotes that keep everybody waiting, and then let nobody in."""

    def __init__(self, error: Exception) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self._error = error

    @contextmanager
    def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[GitSession]:
        self.entered.release()
        assert self.gate.wait(20)
        raise self._error
        yield


_fits: type[GitRemotes] = ClosedRemotes


def _write_back(remotes: GitRemotes) -> GitWriteBack:
    return GitWriteBack(remotes, GitWriteOptions(), _CLOCK, NullLog(), threading.Event())


def _start(
    writer: GitWriteBack, results: list[WriteBackResult], within_s: float = 30.0, **target: str
) -> threading.Thread:
    def work() -> None:
        intent = intent_for("https://h.test/a", "1", **target)
        results.extend(writer.write_all([intent], dry_run=False, deadline=Deadline.after(_CLOCK, within_s)))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_target_has_one_writer_and_waiting_for_it_ends_at_the_deadline() -> None:
    remotes, results = ClosedRemotes(GitError("no", code="repo_not_found")), list[WriteBackResult]()
    writer = _write_back(remotes)
    first = _start(writer, results)
    assert remotes.entered.acquire(timeout=20)
    second = _start(writer, results, within_s=0.05, app="other")
    second.join()
    assert [result.error_code for result in results] == ["timeout"]
    remotes.gate.set()
    first.join()
    assert [result.error_code for result in results] == ["timeout", "repo_not_found"]
    assert writer._turns._turns == {}


def test_other_targets_of_a_repository_do_not_wait() -> None:
    remotes, results = ClosedRemotes(GitError("no", code="repo_not_found")), list[WriteBackResult]()
    writer = _write_back(remotes)
    threads = [_start(writer, results, write_branch=name) for name in ("one", "two")]
    assert all(remotes.entered.acquire(timeout=20) for _ in threads)
    remotes.gate.set()
    for thread in threads:
        thread.join()


def test_batches_that_wait_for_their_turn_hold_no_other_target_up() -> None:
    remotes = ClosedRemotes(GitError("no", code="repo_not_found"))
    options = GitWriteOptions(is_batching=False, writers=2)
    writer = GitWriteBack(remotes, options, _CLOCK, NullLog(), threading.Event())
    intents = [intent_for("https://h.test/a", "1", app=name) for name in "abc"]
    intents.append(intent_for("https://h.test/b", "1"))
    deadline = Deadline.after(_CLOCK, 20)
    thread = threading.Thread(target=writer.write_all, args=(intents,), kwargs={"dry_run": False, "deadline": deadline})
    thread.start()
    assert all(remotes.entered.acquire(timeout=20) for _ in "ab")
    remotes.gate.set()
    thread.join()


def test_a_bug_costs_its_batch_and_no_other() -> None:
    remotes = ClosedRemotes(KeyError("bug"))
    remotes.gate.set()
    intents = [intent_for("https://h.test/a", "1"), intent_for("https://h.test/b", "1")]
    results = _write_back(remotes).write_all(intents, dry_run=False, deadline=Deadline.after(_CLOCK, 20))
    assert [(result.outcome, result.error_code) for result in results] == [(WriteOutcome.FAILED, "internal_error")] * 2
    assert [result.change_set for result in results] == [intent.change_set for intent in intents]


def test_results_are_heard_of_as_they_come() -> None:
    remotes, heard = ClosedRemotes(GitError("no", code="repo_not_found")), list[WriteBackResult]()
    remotes.gate.set()
    intents = [intent_for("https://h.test/a", "1", app=app) for app in "abc"]
    writer = _write_back(remotes)
    results = writer.write_all(intents, dry_run=False, deadline=Deadline.after(_CLOCK, 20), on_result=heard.append)
    assert heard == list(results)


def test_nothing_to_write_is_no_work() -> None:
    writer = _write_back(ClosedRemotes(KeyError()))
    assert writer.write_all([], dry_run=False, deadline=Deadline.after(_CLOCK, 20)) == ()


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        pytest.param("auth_failed", 2, id="refused credentials"),
        pytest.param("repo_not_found", 2, id="no such repository"),
        pytest.param("branch_not_found", 4, id="a matter of one branch"),
    ],
)
def test_what_holds_for_every_branch_is_asked_once_for_each_login(code: str, asked: int) -> None:
    remotes = ClosedRemotes(GitError("no", code=code))
    remotes.gate.set()
    writer = GitWriteBack(remotes, GitWriteOptions(writers=1), _CLOCK, NullLog(), threading.Event())
    intents = [intent_for("https://h.test/a", "1", app=name, write_branch=name) for name in "abc"]
    intents.append(intent_for("https://h.test/a", "1", credentials="secret:argocd/other"))
    results = writer.write_all(intents, dry_run=False, deadline=Deadline.after(_CLOCK, 20))
    assert [result.error_code for result in results] == [code] * 4
    assert [result.error.partition(": ")[0] for result in results] == [
        "argocd/a",
        "argocd/b",
        "argocd/c",
        "argocd/shop",
    ]
    assert sum(remotes.entered.acquire(blocking=False) for _ in range(9)) == asked
    again = writer.write_all(intents[:1], dry_run=False, deadline=Deadline.after(_CLOCK, 20))
    assert (again[0].error_code, remotes.entered.acquire(blocking=False)) == (code, True)


def test_the_first_branches_of_every_remote_come_first() -> None:
    names = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1"), ("c", "2")]
    intents = [intent_for(f"https://h.test/{remote}", "1", write_branch=branch) for remote, branch in names]
    remotes = ClosedRemotes(GitError("no", code="branch_not_found"))
    remotes.gate.set()
    order: list[str] = []
    writer = GitWriteBack(remotes, GitWriteOptions(writers=1), _CLOCK, NullLog(), threading.Event())

    def note(result: WriteBackResult) -> None:
        assert result.change_set.git is not None
        order.append(result.change_set.git.remote.path + result.change_set.git.write_branch)

    writer.write_all(intents, dry_run=False, deadline=Deadline.after(_CLOCK, 20), on_result=note)
    assert order == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_remotes_that_gave_no_answer_come_last_until_they_answer() -> None:
    class Remotes(ClosedRemotes):
        silent = "a"

        @contextmanager
        def open(self, target: GitTarget, namespace: str, deadline: Deadline) -> Iterator[GitSession]:
            order.append(target.remote.path)
            code = "timeout" if target.remote.path == self.silent else "branch_not_found"
            raise GitError("no", code=code)
            yield

    def write() -> str:
        order.clear()
        writer.write_all(intents, dry_run=False, deadline=Deadline.after(_CLOCK, 20))
        return "".join(order)

    order: list[str] = []
    remotes = Remotes(GitError("no"))
    intents = [intent_for(f"https://h.test/{remote}", "1") for remote in "abc"]
    writer = GitWriteBack(remotes, GitWriteOptions(writers=1), _CLOCK, NullLog(), threading.Event())
    assert write() == "abc"
    assert write() == "bca"
    remotes.silent = ""
    assert [write(), write()] == ["bca", "abc"]


def test_what_was_handed_over_before_the_end_is_written_and_what_comes_later_is_not() -> None:
    remotes, stopping = ClosedRemotes(GitError("no", code="repo_not_found")), threading.Event()
    remotes.gate.set()
    writer = GitWriteBack(remotes, GitWriteOptions(idle_s=0.2), _CLOCK, NullLog(), stopping)
    results = list[WriteBackResult]()
    deadline = Deadline.after(_CLOCK, 20)
    early = threading.Thread(
        target=lambda: results.append(
            writer.write(intent_for("https://h.test/a", "1"), dry_run=False, deadline=deadline)
        )
    )
    early.start()
    while not writer._gathering._queues and early.is_alive():
        threading.Event().wait(0.001)
    stopping.set()
    early.join()
    results.append(writer.write(intent_for("https://h.test/a", "1"), dry_run=False, deadline=deadline))
    assert [result.error_code for result in results] == ["repo_not_found", "shutting_down"]


def test_a_change_whose_time_is_over_has_a_result_and_leaves_the_queue_length() -> None:
    metrics = PrometheusMetrics()
    writer = GitWriteBack(
        ClosedRemotes(KeyError()), GitWriteOptions(idle_s=3600.0), _CLOCK, NullLog(), threading.Event(), metrics=metrics
    )
    result = writer.write(intent_for("https://h.test/a", "1"), dry_run=False, deadline=Deadline.after(_CLOCK, 0.05))
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "timeout")
    assert result.error.startswith("argocd/shop: ")
    lines = metrics.render().decode().splitlines()
    assert 'argocd_image_updater_git_queue_length{repository="https://h.test/a"} 0.0' in lines
    assert 'argocd_image_updater_git_writeback_errors_total{code="timeout"} 1.0' in lines
