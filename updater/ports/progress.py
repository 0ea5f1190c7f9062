"""How far a round has come, for people who watch."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by the engine; may be called from any thread."""

    def started(self, total: int) -> None:
        """A round over ``total`` Applications begins."""

    def polled(self) -> None:
        """A registry has been asked about one repository, whatever it answered."""

    def advanced(self, key: str) -> None:
        """The Application ``key`` is done, whatever came of it."""

    def finished(self) -> None:
        """The round is over; called once, also after an error."""


class NoProgress:
    """Shows nothing."""

    def started(self, total: int) -> None: ...

    def polled(self) -> None: ...

    def advanced(self, key: str) -> None: ...

    def finished(self) -> None: ...
