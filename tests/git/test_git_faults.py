"""What goes wrong between two machines: races, refusals, lost answers, hung remotes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, Make, RecordingLog, intent_for
from tests.git.paced_clock import PacedClock
from tests.git.programs import has_ended
from updater.clock import Backoff
from updater.git.options import Admission, GitOptions
from updater.git.processes import ProcessLimits
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.writeback.git_options import GitWriteOptions

_VALUES = "image:\n  tag: 1.0.0\n"


def _fleet(remote: BareRepository, *names: str) -> None:
    remote.commit({f"apps/{name}/values.yaml": _VALUES for name in names})


@pytest.mark.slow
def test_ten_rivals_at_once_with_default_settings_all_land(remote: BareRepository, make_bench: Make) -> None:
    names = [f"rival{number}" for number in range(10)]
    _fleet(remote, *names)
    before = remote.count()
    benches = [make_bench(BenchOptions(write=GitWriteOptions())) for _ in names]
    start = threading.Barrier(len(names))
    results: list[WriteBackResult] = []

    def work(bench: Bench, name: str) -> None:
        start.wait()
        results.append(bench.write_one(intent_for(remote.url, "2.0.0", app=name), within_s=300))

    threads = [threading.Thread(target=work, args=pair) for pair in zip(benches, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.error for result in results] == [""] * 10
    assert remote.count() == before + 10
    assert all("tag: 2.0.0" in remote.read(f"apps/{name}/values.yaml") for name in names)


def test_a_rival_in_between_is_kept_and_the_edit_applied_again(remote: BareRepository, make_bench: Make) -> None:
    def interfere(event: str) -> None:
        if event == "git_commit_made" and log.events.count(event) <= 2:
            number = log.events.count(event)
            text = f"image:\n  name: rival{number}  # theirs\n  tag: 1.0.0\n"
            remote.commit({"apps/shop/values.yaml": text}, message=f"rival {number}")

    log = RecordingLog(interfere)
    result = make_bench(BenchOptions(log=log)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.outcome, result.attempts) == (WriteOutcome.WRITTEN, 3)
    assert remote.read("apps/shop/values.yaml") == "image:\n  name: rival2  # theirs\n  tag: 1.1.0\n"
    assert remote.messages()[:3] == ["build: automatic update of shop", "rival 2", "rival 1"]


def test_a_rival_that_made_the_same_edit_leaves_nothing_to_do(remote: BareRepository, make_bench: Make) -> None:
    def interfere(event: str) -> None:
        if event == "git_commit_made" and log.events.count(event) == 1:
            remote.commit({"apps/shop/values.yaml": "image:\n  tag: 1.1.0\n"}, message="rival")

    log = RecordingLog(interfere)
    result = make_bench(BenchOptions(log=log)).write_one(intent_for(remote.url, "1.1.0"))
    assert result.outcome is WriteOutcome.UNCHANGED
    assert remote.messages()[0] == "rival"


def test_a_branch_that_was_moved_back_meanwhile_is_not_moved_forward_again(
    remote: BareRepository, make_bench: Make
) -> None:
    good = remote.tip()
    remote.commit({"broken": "yes"}, message="broken")

    def roll_back(event: str) -> None:
        if event == "git_commit_made" and log.events.count(event) == 1:
            remote.git("update-ref", "refs/heads/main", good)

    log = RecordingLog(roll_back)
    assert make_bench(BenchOptions(log=log)).write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    assert "broken" not in remote.messages()


def test_a_write_branch_that_somebody_creates_meanwhile_is_not_overwritten(
    remote: BareRepository, make_bench: Make
) -> None:
    def interfere(event: str) -> None:
        if event == "git_commit_made" and log.events.count(event) == 1:
            remote.git("branch", "updates", "main")
            remote.commit({"theirs": "yes"}, branch="updates", message="rival")

    log = RecordingLog(interfere)
    make_bench(BenchOptions(log=log)).write(intent_for(remote.url, "1.1.0", write_branch="updates"))
    assert remote.messages("updates")[:2] == ["build: automatic update of shop", "rival"]


@pytest.mark.slow
def test_a_race_that_is_always_lost_ends(remote: BareRepository, make_bench: Make) -> None:
    def interfere(event: str) -> None:
        if event == "git_commit_made":
            remote.commit({"other": str(len(log.events))}, message="rival")

    log = RecordingLog(interfere)
    result = make_bench(BenchOptions(log=log)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error_code, result.attempts) == ("push_rejected", 20)


def test_a_hook_that_refuses_one_application_does_not_cost_the_others(remote: BareRepository, make_bench: Make) -> None:
    _fleet(remote, "a", "b", "c")
    remote.add_hook(
        "pre-receive",
        'read old new ref; if git diff --name-only $old $new | grep -q apps/b; then echo "b is frozen" >&2; exit 1; fi',
    )
    results = make_bench().write(*(intent_for(remote.url, "2.0.0", app=name) for name in "abc"))
    assert [result.error_code for result in results] == ["", "push_denied", ""]
    assert "b is frozen" in results[1].error
    changed = [name for name in "abc" if "2.0.0" in remote.read(f"apps/{name}/values.yaml")]
    assert changed == ["a", "c"]


def test_a_protected_branch_is_tried_once(remote: BareRepository, make_bench: Make, tmp_path: Path) -> None:
    _fleet(remote, "a", "b")
    seen = tmp_path / "seen"
    remote.add_hook("pre-receive", f"echo push >> {seen}; echo 'GH006: Protected branch update failed' >&2; exit 1")
    results = make_bench().write(*(intent_for(remote.url, "2.0.0", app=name) for name in "ab"))
    assert [result.error_code for result in results] == ["push_denied"] * 2
    assert seen.read_text() == "push\n"


def test_a_branch_in_the_place_of_a_folder_is_no_lost_race(remote: BareRepository, make_bench: Make) -> None:
    remote.git("branch", "updates", "main")
    result = make_bench().write_one(intent_for(remote.url, "1.1.0", write_branch="updates/shop"))
    assert (result.error_code, result.attempts) == ("push_denied", 1)
    assert "refs/heads/updates" in result.error


def test_a_remote_that_lets_no_branch_be_made_anew_is_no_lost_race(remote: BareRepository, make_bench: Make) -> None:
    remote.git("config", "receive.denyNonFastForwards", "true")
    options = GitWriteOptions(backoff=QUICK, resets_write_branch=True)
    bench = make_bench(BenchOptions(write=options))
    assert bench.write_one(intent_for(remote.url, "1.1.0", write_branch="updates")).outcome is WriteOutcome.WRITTEN
    before = remote.tip("updates")
    remote.commit({"other": "newer base"})
    result = bench.write_one(intent_for(remote.url, "1.2.0", write_branch="updates"))
    assert (result.error_code, result.attempts) == ("push_denied", 1)
    assert remote.tip("updates") == before


def test_a_repository_of_another_hash_is_named_at_once(make_bench: Make, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", "--object-format=sha256", "-b", "main", tmp_path / "r"], check=True)
    remote = BareRepository(tmp_path / "r")
    remote.commit({"apps/shop/values.yaml": _VALUES})
    result = make_bench().write_one(intent_for(remote.url, "1.1.0"))
    assert result.error_code == "fetch_failed"
    assert "SHA-256" in result.error


def test_a_push_whose_answer_is_lost_is_looked_up(remote: BareRepository, make_bench: Make) -> None:
    before = remote.count()
    remote.add_hook("reference-transaction", "if [ $1 = committed ]; then kill -9 $PPID; fi")
    log = RecordingLog()
    result = make_bench(BenchOptions(log=log)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.outcome, result.commit) == (WriteOutcome.WRITTEN, remote.tip())
    assert "git_push_found" in log.events
    assert remote.count() == before + 1


def test_a_lost_answer_about_a_branch_made_anew_is_looked_up_too(remote: BareRepository, make_bench: Make) -> None:
    remote.commit({"old": "yes"}, branch="updates")
    remote.add_hook("reference-transaction", "if [ $1 = committed ]; then kill -9 $PPID; fi")
    options = GitWriteOptions(backoff=QUICK, resets_write_branch=True)
    result = make_bench(BenchOptions(write=options)).write_one(intent_for(remote.url, "1.1.0", write_branch="updates"))
    assert (result.outcome, result.commit) == (WriteOutcome.WRITTEN, remote.tip("updates"))
    assert remote.count("updates") == remote.count() + 1


def test_a_push_that_broke_before_it_was_stored_is_repeated(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    before, flag = remote.count(), tmp_path / "flag"
    remote.add_hook("pre-receive", f"if [ ! -e {flag} ]; then touch {flag}; kill -9 $PPID; exit 1; fi")
    result = make_bench().write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert remote.count() == before + 1


def test_a_remote_that_stays_away_after_a_push_leaves_the_outcome_open(
    remote: BareRepository, make_bench: Make, tmp_path: Path
) -> None:
    away = tmp_path / "away.git"
    remote.add_hook(
        "reference-transaction", f"if [ $1 = committed ]; then mv {remote.folder} {away}; kill -9 $PPID; fi"
    )
    result = make_bench().write_one(intent_for(remote.url, "1.1.0"))
    assert result.outcome is WriteOutcome.FAILED
    assert "whether it was stored is unknown" in result.error
    away.rename(remote.folder)
    remote.remove_hook("reference-transaction")
    assert make_bench().write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.UNCHANGED


def test_a_hung_remote_ends_at_the_deadline_with_its_whole_group(
    remote: BareRepository, make_bench: Make, tmp_path: Path, paced_clock: PacedClock
) -> None:
    pipe, pids = tmp_path / "pids", list[int]()
    os.mkfifo(pipe)
    remote.add_hook("pre-receive", f"trap '' TERM; sleep 1000 & echo $$ $PPID $! > {pipe}; wait")

    def hurry() -> None:
        pids.extend(map(int, pipe.read_text().split()))
        paced_clock.set_pace(100.0)

    threading.Thread(target=hurry, daemon=True).start()
    git = GitOptions(limits=ProcessLimits(soft_s=20.0, fatal_s=10.0), admission=Admission(allows_local=True))
    once = Backoff(attempts=1, base_s=0.01, cap_s=0.01)
    bench = make_bench(BenchOptions(git=git, write=GitWriteOptions(backoff=once)))
    result = bench.write_one(intent_for(remote.url, "1.1.0"), within_s=10_000)
    assert result.outcome is WriteOutcome.FAILED
    assert len(pids) == 3
    assert [pid for pid in pids if not has_ended(pid)] == []


def test_what_has_not_begun_at_shutdown_says_so(remote: BareRepository, make_bench: Make) -> None:
    bench = make_bench()
    bench.write_back._stopping.set()
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "shutting_down")


def test_a_remote_that_never_answers_costs_its_attempts_and_no_more(make_bench: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        git = GitOptions(limits=ProcessLimits(soft_s=0.4, fatal_s=0.3), admission=Admission(allows_http=True))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        result = make_bench(BenchOptions(git=git)).write_one(intent_for(url, "1.1.0"))
    assert result.error_code == "timeout"


def test_the_deadline_of_the_round_ends_everything(remote: BareRepository, make_bench: Make) -> None:
    remote.add_hook("pre-receive", "sleep 1000")
    result = make_bench().write_one(intent_for(remote.url, "1.1.0"), within_s=1.0)
    assert result.outcome is WriteOutcome.FAILED
