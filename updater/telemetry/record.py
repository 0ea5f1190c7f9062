"""One log record as data, before a format renders it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from updater.ports.log import Field

RESERVED_KEYS = ("level", "msg", "time")
"""Keys every record has; a field of that name moves to ``fields.<name>`` (``runtime.md`` 4.2)."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """``level`` is the rendered word (``trace debug info warning error fatal``), ``time`` a rendered moment.

    ``uptime_s`` are the seconds since the process began to log.
    """

    level: str
    time: str
    message: str
    fields: Mapping[str, Field]
    uptime_s: float = 0.0

    def sorted_fields(self) -> list[tuple[str, Field]]:
        """The fields by key, bytewise, after moving those that clash."""
        moved = {f"fields.{key}" if key in RESERVED_KEYS else key: value for key, value in self.fields.items()}
        return sorted(moved.items(), key=lambda item: item[0].encode("utf-8", "surrogatepass"))
