"""Method git: one large batch, and a thousand writes in a row that leave nothing behind.

The remotes are bare repositories on disk that git itself serves over its pack protocol.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.git_peer.backend import HOST
from benchmarks.measuring import cost_of, show
from updater.clock import Deadline, SystemClock
from updater.git.authentication import CredentialedAccess
from updater.git.credentials import CredentialBook, CredentialPlaces
from updater.git.options import Admission, FetchMode, GitOptions
from updater.git.remotes import MirroredRemotes
from updater.git.workplaces import PREFIX, secret_root
from updater.manifests.values_file import ValueWrite
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, ImageChange, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget, TargetFile
from updater.playground.git_remote import BareRepository
from updater.ports.log import Field, NullLog
from updater.writeback.git import GitWriteBack
from updater.writeback.git_intents import GitIntent, values_editor
from updater.writeback.git_options import GitWriteOptions

APPLICATIONS = 500
ROUNDS = 5
WRITES = 1_000
_TIMEOUT_S = 600.0


class CountingLog(NullLog):
    """Counts events."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def debug(self, event: str, /, **_fields: Field) -> None:
        self.counts[event] += 1


@dataclass(slots=True)
class Writer:
    """The write-back of one updater process."""

    log: CountingLog
    remotes: MirroredRemotes
    write_back: GitWriteBack
    clock: SystemClock = field(default_factory=SystemClock)

    def write(self, intents: list[GitIntent]) -> tuple[WriteBackResult, ...]:
        deadline = Deadline.after(self.clock, _TIMEOUT_S)
        return self.write_back.write_all(intents, dry_run=False, deadline=deadline)


@contextmanager
def writer(cache: Path, mode: FetchMode = FetchMode.PARTIAL) -> Iterator[Writer]:
    """A writer whose mirrors are below ``cache``."""
    clock, log = SystemClock(), CountingLog()
    options = GitOptions(cache_folder=cache, mode=mode, admission=Admission(allows_http=True, allows_local=True))
    login = {"GIT_USERNAME": "bench", "GIT_PASSWORD": "bench", "GIT_CREDENTIALS_HOST": HOST}
    access = CredentialedAccess(CredentialBook(CredentialPlaces(environment=login)), options, {}, clock, log)
    remotes = MirroredRemotes(options, access, os.environ, clock, log)
    try:
        yield Writer(log, remotes, GitWriteBack(remotes, GitWriteOptions(), clock, log, threading.Event()), clock)
    finally:
        remotes.close()
        access.close()


def intent(url: str, number: int, tag: str) -> GitIntent:
    """One changed image of one Application."""
    path = f"apps/app-{number:04}/values.yaml"
    target = GitTarget(parse_git_remote(url), path, TargetFile.HELM_VALUES)
    change = ImageChange("", "example/app", "1.0.0", tag)
    key = ApplicationKey("argocd", f"app-{number:04}")
    change_set = ChangeSet(key, "default", SourceChoice(SourceKind.HELM), (), (change,), git=target)
    return GitIntent(
        change_set, target, f"build: automatic update\n\n{tag}\n", values_editor([ValueWrite("image.tag", tag)])
    )


def fill(remote: BareRepository, applications: int) -> None:
    """A values file of 40 lines for each Application."""
    lines = "".join(f"setting{number}: value {number}\n" for number in range(38))
    remote.commit({f"apps/app-{n:04}/values.yaml": f"image:\n  tag: 1.0.0\n{lines}" for n in range(applications)})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _one_repository(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        _many_writes(Path(folder))


def _one_repository(folder: Path) -> None:
    remote = BareRepository(folder / "remote.git")
    fill(remote, APPLICATIONS)
    print(f"git_batch: {APPLICATIONS} Applications in one repository, one changed image each, {ROUNDS} rounds")
    changed, unchanged = [], []
    for number in range(ROUNDS):
        with writer(folder / f"cache{number}") as fresh:
            intents = [intent(remote.url, each, f"2.0.{number}") for each in range(APPLICATIONS)]
            changed.append(wall_s(fresh, intents, WriteOutcome.WRITTEN))
            assert (fresh.log.counts["git_commit_made"], fresh.log.counts["git_push_ended"]) == (1, 1)
            unchanged.append(wall_s(fresh, intents, WriteOutcome.UNCHANGED))
            assert fresh.log.counts["git_commit_made"] == 1
    show("empty mirror, all changed: one fetch, one commit, one push, wall", changed, "s")
    show("the same again, nothing to change, wall", unchanged, "s")


def _many_writes(folder: Path) -> None:
    remote = BareRepository(folder / "remote.git")
    fill(remote, 1)
    print(f"git_batch: {WRITES} writes in a row")
    with writer(folder / "cache") as fresh:
        _expect(fresh, [intent(remote.url, 0, "1.1.0")], WriteOutcome.WRITTEN)
        before = _resources()
        writes = [[intent(remote.url, 0, f"2.0.{number}")] for number in range(WRITES)]
        spent = [wall_s(fresh, each, WriteOutcome.WRITTEN) for each in writes]
        after = _resources()
    show("one write, wall", [1000 * spent_s for spent_s in spent], "ms")
    for name, count in after.items():
        show(f"{name} left behind", [count - before[name]], "")
        assert count <= before[name], name


def wall_s(fresh: Writer, intents: list[GitIntent], outcome: WriteOutcome) -> float:
    """Seconds for one round, which has to end so for every intent."""
    return cost_of(lambda: _expect(fresh, intents, outcome)).wall_s


def _expect(fresh: Writer, intents: list[GitIntent], outcome: WriteOutcome) -> None:
    outcomes = Counter(result.outcome for result in fresh.write(intents))
    assert outcomes == {outcome: len(intents)}, outcomes


def _resources() -> dict[str, int]:
    pid = os.getpid()
    children = sum(f" {pid} " in _stat(path) for path in Path("/proc").glob("[0-9]*/stat"))
    roots = {Path(tempfile.gettempdir()), secret_root() or Path(tempfile.gettempdir())}
    folders = sum(1 for root in roots for _ in root.glob(f"{PREFIX}{pid}-*"))
    return {
        "child processes": children,
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "temporary folders": folders,
        "threads": threading.active_count(),
    }


def _stat(path: Path) -> str:
    """State, parent and group of a process, empty when it has ended meanwhile."""
    try:
        return " ".join(path.read_text(encoding="utf-8").rpartition(")")[2].split()[:2]) + " "
    except OSError:
        return ""


if __name__ == "__main__":
    main()
