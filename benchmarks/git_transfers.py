"""Many large repositories over HTTP: what goes over the wire in the first round, and in every later one.

The bytes are counted by the server, requests and answers with their heads. Between the rounds somebody else commits to
each repository, so that every mirror has to be fetched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.git_batch import Writer, fill, intent, wall_s, writer
from benchmarks.git_peer.backend import Traffic, serving
from benchmarks.measuring import show
from updater.git.options import FetchMode
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository

REPOSITORIES = 30
PER_REPOSITORY = 10
ROUNDS = 3
MOST = 0.01
"""Of what the first round took may a later one take."""


@dataclass(frozen=True, slots=True)
class Ballast:
    """What else is in a repository: files that do not compress, in ``folders`` of equal size."""

    name: str
    files: int
    file_bytes: int
    folders: int

    @property
    def total_bytes(self) -> int:
        return self.files * self.file_bytes

    def contents(self) -> dict[str, bytes]:
        return {
            f"ballast/{number % self.folders}/{number}.yaml": os.urandom(self.file_bytes)
            for number in range(self.files)
        }


MANIFESTS = Ballast("manifests", files=50_000, file_bytes=1_000, folders=500)
"""What Git repositories of fleets hold: very many files of a screenful."""
BINARIES = Ballast("binaries", files=50, file_bytes=1_000_000, folders=1)
"""Charts and dumps that somebody committed. A partial mirror hardly notices them, so that its first round is as small
as a later one: there the later ones are held against the size of the repositories."""


def main() -> None:
    for ballast in (MANIFESTS, BINARIES):
        whole = REPOSITORIES * ballast.total_bytes
        print(
            f"git_transfers: {REPOSITORIES * PER_REPOSITORY} Applications over {REPOSITORIES} repositories of "
            f"{ballast.total_bytes / 1e6:.0f} MB in {ballast.files} files ({ballast.name}), {whole / 1e6:.0f} MB in all"
        )
        for mode in FetchMode:
            first, *later = _measure(ballast, mode)
            held = whole if ballast is BINARIES and mode is FetchMode.PARTIAL else first
            title = f"{ballast.name}, {mode.value}: the largest later round, of {held / 1e6:.0f} MB"
            show(title, [100 * max(later) / held], "%")
            assert max(later) < MOST * held, f"{ballast.name}, {mode.value}: {max(later)} bytes after {held}"


def _measure(ballast: Ballast, mode: FetchMode) -> list[int]:
    """Bytes over the wire in each round."""
    with tempfile.TemporaryDirectory() as folder:
        remotes = _repositories(Path(folder) / "served", ballast)
        with serving(Path(folder) / "served") as (url, traffic), writer(Path(folder) / "cache", mode) as fresh:
            return [
                _round(fresh, url, remotes, number, traffic, f"{ballast.name}, {mode.value}")
                for number in range(ROUNDS)
            ]


def _repositories(folder: Path, ballast: Ballast) -> list[BareRepository]:
    """The first one is filled, the others are linked copies of it."""
    made = [BareRepository(folder / "remote-0")]
    fill(made[0], PER_REPOSITORY)
    made[0].commit(ballast.contents())
    for number in range(1, REPOSITORIES):
        shutil.copytree(made[0].folder, folder / f"remote-{number}", copy_function=os.link)
        made.append(BareRepository(folder / f"remote-{number}"))
    return made


def _round(fresh: Writer, url: str, remotes: list[BareRepository], number: int, traffic: Traffic, title: str) -> int:
    """Bytes over the wire while every Application gets a new tag."""
    for remote in remotes:
        remote.commit({"apps/other": f"somebody else's change {number}"})
    intents = [
        intent(f"{url}/{remote.folder.name}", each, f"2.0.{number}")
        for remote in remotes
        for each in range(PER_REPOSITORY)
    ]
    traffic.take()
    spent_s = wall_s(fresh, intents, WriteOutcome.WRITTEN)
    total = traffic.take()
    show(f"{title}, round {number + 1}, over the wire", [total / 1e6], "MB")
    show(f"{title}, round {number + 1}, wall", [spent_s], "s")
    return total


if __name__ == "__main__":
    main()
