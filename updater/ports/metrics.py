"""Measurements as code takes them: a name out of the catalogue in ``updater.telemetry``, an amount, label values."""

from __future__ import annotations

from typing import Protocol


class Metrics(Protocol):
    """Thread-safe and cheap. A name or label that the catalogue does not know is a bug and raises."""

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter or gauge."""

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram."""

    def drop(self, name: str, /, **labels: str) -> None:
        """Take back one series of something that is gone; nothing happens when there is none. Not of Applications."""


class Exposition(Protocol):
    """Everything measured, as monitoring reads it. Thread-safe."""

    def negotiate(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that the header line ``accept`` asks for, and its content type."""


class NoMetrics:
    """Measures nothing."""

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None: ...

    def set(self, name: str, value: float, /, **labels: str) -> None: ...

    def observe(self, name: str, value: float, /, **labels: str) -> None: ...

    def drop(self, name: str, /, **labels: str) -> None: ...
