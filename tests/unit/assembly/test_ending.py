"""The deadlines of an ending process, and what they say when they have passed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from updater.assembly import ending as module
from updater.assembly.ending import ANSWERING_S, EVENTS_SHARE, LISTENERS_S, LONGEST_CLOSING_S, REPORTING_S, Ending
from updater.assembly.surroundings import Surroundings
from updater.assembly.underway import MOST_NAMED, WritesUnderway
from updater.clock import Deadline, SystemClock
from updater.engine.writing import GitWriting, Writers
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget
from updater.ports.log import NullLog
from updater.ports.writeback import WriteBack
from updater.writeback.git_intents import GitIntent, values_editor

WAIT_S = 20.0
GRACE_PERIOD_S = 30.0
"""Of a pod, where nobody asked for another one."""


class Told(NullLog):
    """Records as they come, also from bound logs."""

    def __init__(self, records: queue.Queue[tuple[str, dict[str, Any]]] | None = None, **bound: Any) -> None:
        self.records = records if records is not None else queue.Queue()
        self._bound = bound

    def bind(self, **fields: Any) -> Told:
        return Told(self.records, **{**self._bound, **fields})

    def warning(self, event: str, /, **fields: Any) -> None:
        self.records.put((event, {**self._bound, **fields}))

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Any) -> None:
        del exception
        self.records.put((event, {**self._bound, **fields}))


class StillClock(SystemClock):
    """Time that does not move by itself."""

    seconds = 100.0

    def monotonic_s(self) -> float:
        return self.seconds


class Writer:
    """Says what is under way while it writes."""

    def __init__(self, underway: WritesUnderway) -> None:
        self.seen: list[dict[str, Any]] = []
        self._underway = underway

    def apply(self, change_set: ChangeSet, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        self.seen.append(self._underway.fields())
        return WriteBackResult(change_set, WriteOutcome.WRITTEN)

    def write_all(
        self,
        intents: Sequence[GitIntent],
        *,
        dry_run: bool,
        deadline: Deadline,
        on_result: Callable[[WriteBackResult], None],
    ) -> tuple[WriteBackResult, ...]:
        results = tuple(self.apply(each.change_set, dry_run=dry_run, deadline=deadline) for each in intents[:1])
        for result in results:
            on_result(result)
        self.seen.append(self._underway.fields())
        return results

    def write(self, intent: GitIntent, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        return self.apply(intent.change_set, dry_run=dry_run, deadline=deadline)


@pytest.mark.parametrize("timeout_s", [0.0, 20.0, 600.0])
def test_every_step_gets_what_is_left_and_listeners_come_last(timeout_s: float) -> None:
    clock = StillClock()
    ending = Ending(timeout_s, Surroundings(clock=clock), WritesUnderway())
    assert ending.answers == Deadline(clock, 100.0 + LISTENERS_S)
    ending.begin(lambda: None)
    try:
        clock.seconds += timeout_s + REPORTING_S
        ending.begin(lambda: None)
        assert ending.events == Deadline(clock, 100.0 + timeout_s * EVENTS_SHARE)
        assert ending.reports.start() == Deadline(clock, 100.0 + timeout_s + REPORTING_S)
        assert ending.answers == Deadline(clock, 100.0 + timeout_s + ANSWERING_S)
    finally:
        ending.done_working()
        ending.close(is_idle=True)


def test_the_whole_end_fits_into_the_usual_grace_period_of_a_pod() -> None:
    assert ANSWERING_S < LONGEST_CLOSING_S
    assert 20.0 + LONGEST_CLOSING_S <= GRACE_PERIOD_S - 5.0


def test_what_outlasts_the_timeout_is_named_before_it_is_cut() -> None:
    log, cut = Told(), threading.Event()
    ending = Ending(0.0, Surroundings(log=log), WritesUnderway())
    ending.begin(cut.set)
    assert cut.wait(WAIT_S)
    assert log.records.get_nowait() == ("work_cut_off", {"timeout": "0s", "writes": 0, "applications": "none"})


def test_force_ends_what_hangs_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_CLOSING_S", 0.01)
    log, forced, leave = Told(), threading.Event(), threading.Event()
    hanging = threading.Thread(target=leave.wait, args=(WAIT_S,), name="update_7")
    hanging.start()
    ending = Ending(0.0, Surroundings(log=log), WritesUnderway(), forced.set)
    ending.begin(lambda: None)
    ending.close(is_idle=False)
    assert forced.wait(WAIT_S)
    leave.set()
    hanging.join()
    records = dict(log.records.get_nowait() for _ in range(2))
    assert "update_7" in records["end_forced"]["threads"]


def test_a_process_that_is_idle_when_everything_is_closed_is_not_forced() -> None:
    forced: list[bool] = []
    ending = Ending(600.0, Surroundings(), WritesUnderway(), lambda: forced.append(True))
    ending.begin(lambda: None)
    timers = [each for each in threading.enumerate() if each.name.startswith("shutdown-")]
    assert {each.name for each in timers} == {"shutdown-cut", "shutdown-force"}
    ending.done_working()
    ending.close(is_idle=True)
    for timer in timers:
        timer.join(WAIT_S)
        assert not timer.is_alive()
    assert forced == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_writes_are_named_while_they_are_under_way(*, dry_run: bool) -> None:
    underway = WritesUnderway()
    writer = Writer(underway)
    fields: WriteBack = writer
    git: GitWriting = writer
    watched = underway.watching(Writers(fields, git))
    deadline = Deadline.after(SystemClock(), WAIT_S)
    watched.fields.apply(change("web"), dry_run=dry_run, deadline=deadline)
    expected = {"writes": 0, "applications": "none"} if dry_run else {"writes": 1, "applications": "argocd/web"}
    assert writer.seen == [expected]
    assert underway.fields() == {"writes": 0, "applications": "none"}


def test_a_batch_leaves_one_application_after_the_other_and_is_cut_to_a_few_names() -> None:
    underway = WritesUnderway()
    writer = Writer(underway)
    git: GitWriting = writer
    watched = underway.watching(Writers(writer, git)).git
    assert watched is not None
    target = GitTarget(parse_git_remote("https://git.example.com/shop.git"), "values.yaml")
    editor = values_editor(())
    intents = [GitIntent(change(f"app-{number:02}"), target, "a message", editor) for number in range(MOST_NAMED + 2)]
    watched.write_all(intents, dry_run=False, deadline=Deadline.after(SystemClock(), WAIT_S), on_result=lambda _: None)
    before, after = writer.seen
    assert (before["writes"], after["writes"]) == (MOST_NAMED + 2, MOST_NAMED + 1)
    assert str(after["applications"]).startswith("argocd/app-01,")
    assert str(after["applications"]).endswith(",argocd/app-10,...")
    assert underway.fields()["writes"] == 0
    watched.write(intents[0], dry_run=False, deadline=Deadline.after(SystemClock(), WAIT_S))
    assert writer.seen[-1]["applications"] == "argocd/app-00"


def change(name: str) -> ChangeSet:
    return ChangeSet(ApplicationKey("argocd", name), "default", SourceChoice(SourceKind.HELM), (), ())
