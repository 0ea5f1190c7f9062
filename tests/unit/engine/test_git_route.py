"""Changes for Git: who gets them, all of a round at once, and what a failure costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.engine.fleet import (
    HOST,
    MemoryGit,
    MemoryRegistry,
    MemoryWriteBack,
    RecordingLog,
    helm_application,
    run_round,
)
from updater.clock import Deadline, SystemClock
from updater.engine.announcements import Announcer
from updater.engine.engine import Engine, EngineOptions, Experience
from updater.engine.writing import Writers
from updater.model.applications import ApplicationKey, ApplicationSnapshot
from updater.model.changes import WriteOutcome
from updater.model.images import Reason
from updater.ports.progress import NoProgress

WEB = f"{HOST}/shop/web"
TAGS = {WEB: ["1.0.0", "1.0.1"]}
GIT = {"write-back-method": "git", "write-back-target": "helmvalues"}


def _application(name: str, tag: str = "1.0.0", **own: str) -> ApplicationSnapshot:
    return helm_application(name, f"web={WEB}:~1.0", live=[f"{WEB}:{tag}"], annotations=own)


def _mixed() -> list[ApplicationSnapshot]:
    return [_application("a", **GIT), _application("fields"), _application("b", **GIT)]


def test_a_round_hands_over_all_changes_for_git_at_once_and_fields_on_their_own() -> None:
    git, fields, log = MemoryGit(), MemoryWriteBack(), RecordingLog()
    report = run_round(_mixed(), MemoryRegistry(TAGS), fields, git=git, log=log)

    assert git.together == [["a", "b"]]
    assert [change.application.name for change in fields.applied] == ["fields"]
    assert report.totals["images_updated"] == 3
    assert log.events("info").count("write_queued") == 2
    assert log.events("info").count("write_finished") == 3


def test_an_application_that_comes_alone_is_written_with_whatever_else_comes() -> None:
    git = MemoryGit()
    run_round([_application("a", **GIT)], MemoryRegistry(TAGS), git=git, options=EngineOptions(is_cycle=False))
    assert (git.together, git.alone) == ([], ["a"])


def test_some_that_come_together_between_cycles_are_written_together() -> None:
    git = MemoryGit()
    run_round(_mixed(), MemoryRegistry(TAGS), git=git, options=EngineOptions(is_cycle=False))
    assert (git.together, git.alone) == ([["a", "b"]], [])


def test_a_worker_is_free_while_its_application_waits_for_git() -> None:
    parked: list[str] = []

    @contextmanager
    def park(key: ApplicationKey) -> Iterator[None]:
        parked.append(f"{key} waits")
        yield
        parked.append(f"{key} goes on")

    git = MemoryGit()
    options = EngineOptions(is_cycle=False, parked=park)
    run_round([_application("a", **GIT)], MemoryRegistry(TAGS), git=git, options=options)
    assert (git.alone, parked) == (["a"], ["argocd/a waits", "argocd/a goes on"])


def test_a_dry_run_reaches_the_writer_and_says_so() -> None:
    log = RecordingLog()
    report = run_round(_mixed(), MemoryRegistry(TAGS), git=MemoryGit(), options=EngineOptions(is_dry_run=True), log=log)
    assert "write_queued" not in log.events("info")
    assert {each.result.outcome for each in report.applications if each.result} == {WriteOutcome.DRY_RUN}


def test_a_rehearsal_writes_nothing_and_looks_at_no_target() -> None:
    git, fields = MemoryGit(), MemoryWriteBack()
    options = EngineOptions(is_dry_run=True, is_rehearsal=True)
    report = run_round(_mixed(), MemoryRegistry(TAGS), fields, git=git, options=options)
    assert (git.together, fields.applied) == ([], [])
    assert report.totals["images_considered"] == 3


def test_a_failed_push_counts_as_an_error_and_not_as_an_update() -> None:
    git = MemoryGit({"a": (WriteOutcome.FAILED, "push_rejected"), "b": (WriteOutcome.UNCHANGED, "")})
    report = run_round(_mixed(), MemoryRegistry(TAGS), git=git)
    assert (report.totals["images_updated"], report.totals["errors"]) == (1, 1)


def test_a_bug_in_the_writer_keeps_the_results_that_were_told_and_costs_no_fields() -> None:
    log = RecordingLog()
    report = run_round(_mixed(), MemoryRegistry(TAGS), git=MemoryGit(is_buggy=True), log=log)
    outcomes = {
        each.key.name: (each.result.outcome, each.result.error_code) for each in report.applications if each.result
    }
    assert outcomes == {
        "a": (WriteOutcome.WRITTEN, ""),
        "b": (WriteOutcome.FAILED, "internal_error"),
        "fields": (WriteOutcome.WRITTEN, ""),
    }
    assert "bug_found" in log.events("error")


def test_nothing_is_handed_over_once_the_updater_is_to_end() -> None:
    git, stopping = MemoryGit(), threading.Event()
    registry = MemoryRegistry(TAGS)
    fetch = registry.fetch_tags

    def fetch_and_stop(*words: Any, **more: Any) -> Any:
        found = fetch(*words, **more)
        stopping.set()
        return found

    registry.fetch_tags = fetch_and_stop  # type: ignore[method-assign]  # the signal comes after the answer
    report = run_round(_mixed(), registry, git=git, stopping=stopping)
    assert git.together == []
    assert {each.result.error_code for each in report.applications if each.result} == {"shutting_down"}


def test_a_mistake_in_the_git_settings_is_an_error_also_when_nothing_is_new() -> None:
    application = helm_application(
        "a", f"web={WEB}:~1.0", live=[f"{WEB}:1.0.1"], annotations={**GIT, "git-branch": "a:b:c"}
    )
    report = run_round([application], MemoryRegistry(TAGS), git=MemoryGit())
    assert (report.applications[0].error_code, report.totals["errors"]) == ("invalid_git_branch", 1)


def test_a_values_file_under_parameters_of_the_spec_is_remarked_once() -> None:
    log = RecordingLog()
    own = {**GIT, "web.helm.image-tag": "unrelated"}
    report = run_round([_application("a", **own)], MemoryRegistry(TAGS), git=MemoryGit(), log=log)
    assert "values_overridden" in [warned.kind for warned in report.applications[0].warnings]
    texts = [str(fields["text"]) for _, event, fields in log.records if event == "annotation_remarked"]
    assert [text for text in texts if "win over the values file" in text]


def test_a_bug_met_while_judging_costs_one_application(monkeypatch: pytest.MonkeyPatch) -> None:
    def announce(self: Announcer, decision: Any) -> None:
        if decision.plan.application.name == "a":
            raise RuntimeError("a bug in an announcement")

    monkeypatch.setattr(Announcer, "decision", announce)
    log = RecordingLog()
    report = run_round(_mixed(), MemoryRegistry(TAGS), git=MemoryGit(), log=log)
    (broken,) = [each for each in report.applications if each.key.name == "a"]
    assert [(each.reason, each.error_code) for each in broken.decisions] == [
        (Reason.TAGS_UNAVAILABLE, "internal_error")
    ]
    assert (report.totals["images_updated"], report.totals["errors"]) == (2, 1)
    assert log.events("error") == ["bug_found"]


class LateClock(SystemClock):
    """Later than it is, by as much as a test says."""

    late_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.late_s


@dataclass
class Rounds:
    """Rounds of one process, a minute and more apart unless a test says otherwise."""

    git: MemoryGit
    log: RecordingLog = field(default_factory=RecordingLog)
    clock: LateClock = field(default_factory=LateClock)

    def __post_init__(self) -> None:
        experience = Experience(self.log, clock=self.clock)
        writers = Writers(MemoryWriteBack(), self.git)
        self.engine = Engine(MemoryRegistry(TAGS), writers, EngineOptions(), self.clock, experience, threading.Event())

    def run(self, *names: str, apart_s: float = 61.0, tag: str = "1.0.0") -> list[str]:
        """The records of level info between those of the round itself."""
        self.clock.late_s += apart_s
        before = len(self.log.events("info"))
        applications = [_application(name, tag, **GIT) for name in names]
        self.engine.process(applications, Deadline.after(self.clock, 30), NoProgress())
        return self.log.events("info")[before + 1 : -1]


def test_a_commit_that_the_cluster_has_not_followed_is_told_once() -> None:
    rounds = Rounds(MemoryGit())
    assert rounds.run("a") == ["image_set", "write_queued", "write_finished", "image_updated"]
    rounds.git.outcomes["a"] = (WriteOutcome.UNCHANGED, "")
    assert [rounds.run("a") for _ in range(3)] == [["write_unneeded"], [], []]
    debug = rounds.log.events("debug")
    assert [debug.count(event) for event in ("image_set", "write_queued", "write_unneeded")] == [3, 3, 2]


def test_a_commit_that_is_made_once_more_is_told_of_again() -> None:
    rounds = Rounds(MemoryGit({"a": (WriteOutcome.UNCHANGED, "")}))
    rounds.run("a")
    rounds.git.outcomes.clear()
    assert rounds.run("a") == ["write_finished", "image_updated"], "somebody took it back"
    rounds.git.outcomes["a"] = (WriteOutcome.UNCHANGED, "")
    assert rounds.run("a") == ["write_unneeded"]
    assert rounds.run("a", tag="1.0.1") == [], "the cluster follows"
    assert rounds.run("a") == ["image_set", "write_queued"], "and goes back"


@pytest.mark.parametrize(
    ("code", "errors"),
    [pytest.param("push_denied", 1, id="stays until somebody mends it"), pytest.param("network", 3, id="may pass")],
)
def test_a_lasting_failure_is_said_at_error_level_once(code: str, errors: int) -> None:
    rounds = Rounds(MemoryGit({"a": (WriteOutcome.FAILED, code)}))
    for _ in range(3):
        rounds.run("a")
    assert rounds.log.events("error").count("write_failed") == errors
    assert rounds.log.events("debug").count("write_failed") == 3 - errors


def test_a_lasting_failure_is_news_again_with_another_text_or_after_a_success() -> None:
    rounds = Rounds(MemoryGit())
    for outcome in (WriteOutcome.FAILED, WriteOutcome.WRITTEN, WriteOutcome.FAILED):
        rounds.git.outcomes["a"] = (outcome, "push_denied" if outcome is WriteOutcome.FAILED else "")
        rounds.run("a")
    rounds.git.outcomes["a"] = (WriteOutcome.FAILED, "repo_not_found")
    rounds.run("a")
    assert rounds.log.events("error").count("write_failed") == 3


@pytest.mark.parametrize(
    ("code", "errors"),
    [pytest.param("no_credentials", 1, id="stays until somebody mends it"), pytest.param("network", 2, id="may pass")],
)
def test_what_many_applications_of_one_repository_share_is_one_error(code: str, errors: int) -> None:
    rounds = Rounds(MemoryGit(dict.fromkeys("abcd", (WriteOutcome.FAILED, code))))
    for _ in range(2):
        rounds.run(*"abcd")
    said = [fields for level, event, fields in rounds.log.records if event == "repository_failed"]
    assert [(each["applications"], each["code"]) for each in said] == [(4, code)] * errors
    assert said[0]["examples"] == "argocd/a, argocd/b, argocd/c, ..."
    assert said[0]["error"] == code
    assert rounds.log.events("error") == ["repository_failed"] * errors
    assert rounds.log.events("debug").count("write_failed") == 8


def test_those_who_meet_a_known_cause_within_a_minute_are_counted_in_its_next_record() -> None:
    rounds = Rounds(MemoryGit(dict.fromkeys("abcd", (WriteOutcome.FAILED, "network"))))
    rounds.run("a")
    for name in "bc":
        rounds.run(name, apart_s=1.0)
    rounds.run("d")
    assert rounds.log.events("error") == ["write_failed", "repository_failed"]
    assert [fields["applications"] for _, event, fields in rounds.log.records if event == "repository_failed"] == [3]


def test_a_lasting_mistake_of_an_owner_is_said_once() -> None:
    log = RecordingLog()
    announcer, key = Announcer(log), ApplicationKey("argocd", "a")
    for _ in range(3):
        announcer.failed(key, "git-branch 'a:b:c' is not understood", "invalid_git_branch")
    announcer.recovered(key)
    announcer.failed(key, "git-branch 'a:b:c' is not understood", "invalid_git_branch")
    assert log.events("error") == ["application_failed_to_plan"] * 2


def test_an_application_without_a_source_to_write_to_is_a_warning_said_once() -> None:
    log = RecordingLog()
    announcer = Announcer(log)
    for _ in range(3):
        announcer.failed(ApplicationKey("argocd", "a"), "none of the 2 sources is a Helm source", "no_matching_source")
    assert [level for level, event, _ in log.records if event == "application_failed_to_plan"] == [
        "warning",
        "debug",
        "debug",
    ]
