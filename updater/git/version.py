"""The version of the installed git: asked for once, before it is used for the first time.

Older versions would not fail but behave differently: ``GIT_CONFIG_GLOBAL`` (2.32) keeps a user's configuration out, and
without ``GIT_CONFIG_COUNT`` (2.31) a token would not be sent (release notes of git).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from updater.clock import Deadline
from updater.errors import GitError
from updater.git.environment import environment_for
from updater.git.processes import Command, ProcessRunner
from updater.transport.redaction import cap_text

OLDEST = (2, 32)
_VERSION = re.compile(r"git version (\d+)\.(\d+)")


def parse_version(text: str) -> tuple[int, int]:
    """Major and minor version out of what ``git version`` prints; raises ``ValueError``."""
    match = _VERSION.match(text)
    if match is None:
        raise ValueError("this is no answer of git")
    return int(match[1]), int(match[2])


class GitVersion:
    """Remembers that the installed git is new enough. Thread-safe."""

    def __init__(self, runner: ProcessRunner, inherited: Mapping[str, str]) -> None:
        self._runner = runner
        self._inherited = inherited
        self._is_known = threading.Event()

    def check(self, deadline: Deadline) -> None:
        """Raises ``GitError`` ``git_missing`` when there is no git, or only one that is too old."""
        if self._is_known.is_set():
            return
        root = Path("/")
        command = Command(("git", "version"), root, environment_for(self._inherited, home=root, repository=root))
        text = self._runner.run(command, deadline).stdout.decode("utf-8", "replace")
        try:
            is_enough = parse_version(text) >= OLDEST
        except ValueError:
            is_enough = False
        if not is_enough:
            wanted = ".".join(map(str, OLDEST))
            raise GitError(f"git {wanted} or newer is needed, not {cap_text(text)!r}", code="git_missing")
        self._is_known.set()
