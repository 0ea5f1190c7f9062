"""A progress bar on standard error, for a person who watches."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class ProgressBar:
    """Shows how much of something is done; gone when it is over. ``title`` says what is counted.

    Log records that are written to standard error meanwhile appear above the bar, because the bar puts itself
    before that stream. Safe to call from any thread.
    """

    def __init__(self, title: str = "Applications") -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            # Records above the bar stay lines of one piece, to be copied and searched.
            console=Console(file=sys.stderr, soft_wrap=True),
            transient=True,
            redirect_stdout=False,
        )
        self._title = title
        self._task: TaskID | None = None

    def started(self, total: int) -> None:
        self._task = self._bar.add_task(self._title, total=total)
        self._bar.start()

    def polled(self) -> None:
        """Changes nothing: what is counted are Applications."""

    def advanced(self, key: str) -> None:  # noqa: ARG002 - the port's name; the bar only counts
        if self._task is not None:
            self._bar.advance(self._task)

    def finished(self) -> None:
        self._bar.stop()
