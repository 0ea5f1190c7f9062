"""A log that can be asked."""

from __future__ import annotations

import threading

from updater.ports.log import EventLog, Field


class RecordingLog:
    """Keeps every record as ``(level, event, fields)``. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.records: list[tuple[str, str, dict[str, Field]]] = []

    def trace(self, event: str, /, **fields: Field) -> None:
        self._keep("trace", event, fields)

    def debug(self, event: str, /, **fields: Field) -> None:
        self._keep("debug", event, fields)

    def info(self, event: str, /, **fields: Field) -> None:
        self._keep("info", event, fields)

    def warning(self, event: str, /, **fields: Field) -> None:
        self._keep("warning", event, fields)

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: Field) -> None:
        self._keep("error", event, fields)

    def bind(self, **fields: Field) -> EventLog:
        return self

    def events(self, *levels: str) -> list[str]:
        with self._lock:
            return [event for level, event, _ in self.records if not levels or level in levels]

    def _keep(self, level: str, event: str, fields: dict[str, Field]) -> None:
        with self._lock:
            self.records.append((level, event, dict(fields)))
