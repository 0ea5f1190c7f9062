"""A program called git that does what git does, and refuses one command when one of its words is a certain one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_GIT = """#!/bin/sh
case "$*" in *{command}*) case "$*" in *{word}*) echo "{text}" >&2; exit 128;; esac;; esac
exec {git} "$@"
"""


def refusing_git(folder: Path, command: str, word: str, text: str = "fatal: it was not meant to be") -> dict[str, str]:
    """An environment whose git refuses one command when one of its words is this."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(_GIT.format(command=command, word=word, text=text, git=shutil.which("git")))
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
