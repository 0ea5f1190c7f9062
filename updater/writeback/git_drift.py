"""Says when a write branch has fallen behind its base (``write-back.md`` 3.4), once for each state of the base.

With ``append`` nothing merges the base into the branch: a file that was changed there stays as it is on the branch.
Asked for after a push alone, so that a round with nothing to write pays nothing, and what cannot be told is not said.
"""

from __future__ import annotations

import threading

from updater.errors import GitError
from updater.ports.git import GitSession
from updater.ports.log import EventLog
from updater.writeback.git_run import Place, Run

_MAX_SEEN = 10_000
"""Pairs of branches that are remembered; beyond it everything is forgotten and said once more."""


class DriftWatch:
    """Thread-safe; remembers for which base tip a branch was looked at."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], str] = {}

    def look(self, session: GitSession, run: Run, place: Place) -> None:
        """After a push: a branch that is new, made anew or its own base has nothing to fall behind."""
        branches, tip = place.branches, place.content.commit
        if place.expected != tip or branches.push == branches.base:
            return
        remote = run.batch.target.remote
        if not self._is_news((remote.place, branches.push, branches.base), branches.base_commit):
            return
        where = {"repository": str(remote), "branch": branches.push, "base": branches.base}
        try:
            lacks = session.lacks(branches.push, tip, branches.base, branches.base_commit)
        except GitError as error:
            self._log.debug("git_branch_not_compared", **where, error=str(error))
            return
        if lacks:
            self._log.warning("git_branch_behind", **where, commit=branches.base_commit)
        self._log.debug("git_branch_compared", **where, behind=lacks)

    def _is_news(self, key: tuple[str, str, str], base_commit: str) -> bool:
        with self._lock:
            if self._seen.get(key) == base_commit:
                return False
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[key] = base_commit
        return True
