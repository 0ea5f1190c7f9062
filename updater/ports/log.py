"""The log as code sees it: a constant event name plus fields. Formats and sentences belong to ``updater.telemetry``."""

from __future__ import annotations

from typing import Protocol

Field = str | int | float | bool | None


class EventLog(Protocol):
    """Events are snake_case, facts in the past tense. ``bind`` returns a log that adds fields to every record."""

    def trace(self, event: str, /, **fields: Field) -> None: ...

    def debug(self, event: str, /, **fields: Field) -> None: ...

    def info(self, event: str, /, **fields: Field) -> None: ...

    def warning(self, event: str, /, **fields: Field) -> None: ...

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None: ...

    def bind(self, **fields: Field) -> EventLog: ...


class NullLog:
    """A log that keeps nothing, for code that runs without an operator."""

    def trace(self, event: str, /, **fields: Field) -> None: ...

    def debug(self, event: str, /, **fields: Field) -> None: ...

    def info(self, event: str, /, **fields: Field) -> None: ...

    def warning(self, event: str, /, **fields: Field) -> None: ...

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None: ...

    def bind(self, **fields: Field) -> EventLog:  # noqa: ARG002 - there is nothing to bind to
        return self
