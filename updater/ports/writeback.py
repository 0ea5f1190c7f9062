"""Carrying out change sets."""

from __future__ import annotations

from typing import Protocol

from updater.clock import Deadline
from updater.model.changes import ChangeSet, WriteBackResult


class WriteBack(Protocol):
    """One writer for one kind of target."""

    def apply(self, change_set: ChangeSet, *, dry_run: bool, deadline: Deadline) -> WriteBackResult:
        """Carry out one change set; every failure is in the result, none is raised."""
