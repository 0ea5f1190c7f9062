"""Any series of writes, rivals, faults and restarts: no commit of anybody is lost, and none of ours is made twice."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.git.bench import QUICK, Bench, BenchOptions, RecordingLog, intent_for
from updater.git.options import Admission, Committer, FetchMode, GitOptions
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.writeback.git_options import GitWriteOptions

APPLICATIONS = ("a", "b", "c")
EVENTS = ("git_refs_listed", "git_commit_fetched", "git_commit_made")


class Fault(Enum):
    """What the remote does to one push; the value is a hook and its script, which runs once."""

    NONE = ("", "")
    LOST_ANSWER = ("reference-transaction", "kill -9 $PPID")
    BROKEN_OFF = ("pre-receive", "kill -9 $PPID; exit 1")
    REFUSED = ("pre-receive", "exit 1")


@dataclass(frozen=True)
class Step:
    """One write, and what happens meanwhile: a rival at some events, a fault of the push, a restart before it."""

    names: frozenset[str]
    rivals: frozenset[tuple[str, str]]
    fault: Fault
    restarts: bool


STEPS = st.builds(
    Step,
    names=st.frozensets(st.sampled_from(APPLICATIONS), min_size=1),
    rivals=st.frozensets(st.tuples(st.sampled_from(EVENTS), st.sampled_from((*APPLICATIONS, "other"))), max_size=2),
    fault=st.sampled_from(Fault),
    restarts=st.booleans(),
)


@dataclass
class World:
    """A remote with a file per Application, an updater, and what has to be true of both."""

    folder: Path
    options: GitWriteOptions
    mode: FetchMode
    pending: set[tuple[str, str]] = field(default_factory=set)
    theirs: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=lambda: dict.fromkeys(APPLICATIONS, "1.0.0"))

    def __post_init__(self) -> None:
        self.remote = BareRepository(self.folder / "remote.git")
        self.remote.commit({f"apps/{name}/values.yaml": self._text(name, 0) for name in APPLICATIONS})
        self.bench = self._start()

    def carry_out(self, number: int, step: Step) -> None:
        if step.restarts:
            self.bench.close()
            self.bench = self._start()
        self.pending = set(step.rivals)
        self._set_fault(step.fault, number)
        wanted = f"2.0.{number}"
        names = sorted(step.names)
        results = self.bench.write(*(intent_for(self.remote.url, wanted, app=name) for name in names))
        for name, result in zip(names, results, strict=True):
            self._judge(name, wanted, result, step)

    def check(self) -> None:
        """Every commit of a rival is still there; each of ours changed something, on top of one other."""
        history = self.remote.git("log", "--format=%H %P|%cn", "--reverse", "main").splitlines()
        ids = [line.partition(" ")[0] for line in history]
        assert set(self.theirs) <= set(ids)
        for line in history:
            commits, _, author = line.partition("|")
            if author == Committer().name:
                commit, parent = commits.split()
                assert self.remote.git("diff-tree", "--name-only", "-r", parent, commit) != ""
        assert {name: self._tag(name) for name in APPLICATIONS} == self.tags
        self.remote.git("fsck", "--strict")

    def _judge(self, name: str, wanted: str, result: WriteBackResult, step: Step) -> None:
        if result.outcome is WriteOutcome.FAILED:
            assert (step.fault, result.error_code) == (Fault.REFUSED, "push_denied")
            assert len(step.names) == 1
        else:
            assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
            self.tags[name] = wanted
        assert self._tag(name) == self.tags[name]

    def _start(self) -> Bench:
        git = GitOptions(cache_folder=self.folder / "cache", mode=self.mode, admission=Admission(allows_local=True))
        log = RecordingLog(self._interfere)
        return Bench(BenchOptions(git=git, write=self.options, log=log), threading.Event())

    def _interfere(self, event: str) -> None:
        for awaited, place in sorted(self.pending):
            if awaited == event:
                self.pending.discard((awaited, place))
                number = len(self.theirs) + 1
                path = f"apps/{place}/values.yaml" if place in APPLICATIONS else f"other/{number}"
                text = self._text(place, number) if place in APPLICATIONS else "theirs"
                self.theirs.append(self.remote.commit({path: text}, message=f"rival {number}"))

    def _text(self, name: str, number: int) -> str:
        """The file with a line of a rival, and the tag that is there now."""
        tag = self._tag(name) if number else "1.0.0"
        return f"# edited {number} times\nimage:\n  tag: {tag}\n"

    def _tag(self, name: str) -> str:
        return self.remote.read(f"apps/{name}/values.yaml").rpartition("tag: ")[2].strip()

    def _set_fault(self, fault: Fault, number: int) -> None:
        for name in {each.value[0] for each in Fault if each is not Fault.NONE}:
            (self.remote.folder / "hooks" / name).unlink(missing_ok=True)
        hook, script = fault.value
        if hook:
            asked = '[ "$1" != prepared ] && grep -q receive-pack /proc/$PPID/cmdline'
            self.remote.add_hook(hook, f"if {asked} && mkdir once-{number} 2>/dev/null; then {script}; fi; exit 0")


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=6),
    mode=st.sampled_from(FetchMode),
    is_each_alone=st.booleans(),
)
@settings(max_examples=25)
def test_no_series_of_faults_loses_or_repeats_a_commit(
    steps: list[Step], mode: FetchMode, *, is_each_alone: bool
) -> None:
    options = GitWriteOptions(backoff=QUICK, commits_per_application=is_each_alone)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), options, mode)
        try:
            for number, step in enumerate(steps):
                world.carry_out(number, step)
                world.check()
        finally:
            world.bench.close()
