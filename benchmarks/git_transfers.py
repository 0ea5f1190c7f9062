"""Many large repositories over HTTP: what goes over the wire in the first round, and in every later one.

The bytes are counted by the server, requests and answers with their heads. Between the rounds somebody else commits to
each repository, so that every mirror has to be fetched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.git_batch import Writer, fill, intent, wall_s, writer
from benchmarks.git_peer.backend import Traffic, serving
from benchmarks.measuring import show
from updater.git.options import FetchMode
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository

REPOSITORIES = 30
PER_REPOSITORY = 10
BALLAST_FILES = 50
BALLAST_BYTES = 1_000_000
ROUNDS = 3
MOST = 0.01
"""Of what the first round took may a later one take."""


def main() -> None:
    whole = REPOSITORIES * BALLAST_FILES * BALLAST_BYTES
    print(
        f"git_transfers: {REPOSITORIES * PER_REPOSITORY} Applications over {REPOSITORIES} repositories of "
        f"{BALLAST_FILES * BALLAST_BYTES / 1e6:.0f} MB, {whole / 1e6:.0f} MB in all"
    )
    for mode in FetchMode:
        with tempfile.TemporaryDirectory() as folder:
            remotes = _repositories(Path(folder) / "served")
            with serving(Path(folder) / "served") as (url, traffic), writer(Path(folder) / "cache", mode) as fresh:
                first, *later = (_round(fresh, url, remotes, number, traffic, mode) for number in range(ROUNDS))
        held = first if mode is FetchMode.SHALLOW else whole
        assert max(later) < MOST * held, f"{mode.value}: {max(later)} bytes after {held}"


def _repositories(folder: Path) -> list[BareRepository]:
    """The first one is filled, the others are linked copies of it."""
    made = [BareRepository(folder / "remote-0")]
    fill(made[0], PER_REPOSITORY)
    made[0].commit({f"ballast/{number}": os.urandom(BALLAST_BYTES) for number in range(BALLAST_FILES)})
    for number in range(1, REPOSITORIES):
        shutil.copytree(made[0].folder, folder / f"remote-{number}", copy_function=os.link)
        made.append(BareRepository(folder / f"remote-{number}"))
    return made


def _round(
    fresh: Writer, url: str, remotes: list[BareRepository], number: int, traffic: Traffic, mode: FetchMode
) -> int:
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
    show(f"{mode.value}, round {number + 1}, over the wire", [total / 1e6], "MB")
    show(f"{mode.value}, round {number + 1}, wall", [spent_s], "s")
    return total


if __name__ == "__main__":
    main()
