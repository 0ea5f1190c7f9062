"""An updater that is killed while it writes: a process of its own, and a git that knows when to kill it.

``Scaffold`` puts a program called git before the real one in the victim's path. It does what git does, notes what
it was asked for, and at one named step kills the process that asked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from tests.git.bench import Bench, BenchOptions, intent_for
from updater.git.options import Admission, GitOptions

APPLICATIONS = ("a", "b", "c")
_GIT = """#!/bin/sh
exec 9>{folder}/alive; flock -s 9
name= skip=
for word; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case $word in -c) skip=yes;; -*) ;; *) name=$word; break;; esac
done
case " $* " in *" --stdin "*) name="$name files";; esac
echo "$name" >>{folder}/asked
if [ "$(cat {folder}/step)" = "before $name" ]; then kill -9 $PPID; exit 1; fi
{git} "$@"; status=$?
if [ "$(cat {folder}/step)" = "after $name" ]; then kill -9 $PPID; fi
exit $status
"""


class Scaffold:
    """Runs victims that write to one remote with one folder for mirrors."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.cache, self._url = folder, folder / "cache", url
        program = folder / "bin" / "git"
        program.parent.mkdir(parents=True)
        program.write_text(_GIT.format(folder=folder, git=shutil.which("git")))
        program.chmod(0o755)

    def run(self, step: str) -> int:
        """Let a victim write until it is killed, and wait for all that it started; its exit status."""
        (self.folder / "step").write_text(step)
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        with subprocess.Popen(
            [sys.executable, "-m", "tests.git.victim", self._url, str(self.cache), str(self.folder / "pid")],
            env={**os.environ, "PATH": path},
        ) as victim:
            victim.wait()
        return victim.returncode

    def wait_for_orphans(self) -> None:
        """Return when no git of a victim runs any more."""
        with (self.folder / "alive").open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)

    @property
    def pid(self) -> int:
        """Of the last victim."""
        return int((self.folder / "pid").read_text())

    @property
    def asked(self) -> list[str]:
        """What git was asked for, in order."""
        return (self.folder / "asked").read_text().splitlines()


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
