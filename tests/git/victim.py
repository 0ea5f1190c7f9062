"""An updater that is killed while it writes: the writer alone, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.git.bench import Bench, BenchOptions, intent_for
from tests.git.deadly_git import DeadlyGit
from updater.git.options import Admission, GitOptions

APPLICATIONS = ("a", "b", "c")


class Scaffold:
    """Runs victims that write to one remote with one folder for mirrors, under a git that may kill them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.git, self.cache, self._url = DeadlyGit(folder), folder / "cache", url

    def run(self, step: str) -> int:
        """Let a victim write until it is killed, and wait for it; its exit status."""
        self.git.kill_at(step)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.git.victim", self._url, str(self.cache), str(self.pid_file)],
            env={**os.environ, "PATH": self.git.path},
        ) as victim:
            victim.wait()
        return victim.returncode

    @property
    def pid_file(self) -> Path:
        """Holds the id of the last victim."""
        return self.git.folder / "pid"


def options(cache: Path) -> BenchOptions:
    """Those of a victim, and of the updater that starts after it."""
    return BenchOptions(git=GitOptions(cache_folder=cache, admission=Admission(allows_local=True)))


def write(bench: Bench, url: str) -> list[str]:
    """Write one change of each Application; codes of errors, and how it ended."""
    results = bench.write(*(intent_for(url, "2.0.0", app=name) for name in APPLICATIONS))
    return [result.error_code or result.outcome.value for result in results]


def main(url: str, cache: str, pid: str) -> None:
    Path(pid).write_text(str(os.getpid()))
    bench = Bench(options(Path(cache)), threading.Event())
    write(bench, url)
    bench.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
