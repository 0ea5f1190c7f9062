"""A program called git that does what git does, and kills the process that asked it at one named step.

It stands before the real git in the path, and notes what it was asked for.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

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


class DeadlyGit:
    """The program, in ``folder/bin``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "bin" / "git"
        program.parent.mkdir(parents=True)
        program.write_text(_GIT.format(folder=folder, git=shutil.which("git")))
        program.chmod(0o755)
        self.kill_at("never")

    @property
    def path(self) -> str:
        """For the environment of who is to be killed."""
        return f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def kill_at(self, step: str) -> None:
        """``before push`` or ``after push``, and so on."""
        (self.folder / "step").write_text(step)

    def wait_for_orphans(self) -> None:
        """Return when no git that was asked for runs any more."""
        with (self.folder / "alive").open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)

    @property
    def asked(self) -> list[str]:
        """What git was asked for, in order."""
        return (self.folder / "asked").read_text().splitlines()
