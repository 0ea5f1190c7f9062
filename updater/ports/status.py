"""What the outside may know of the process: whether it is healthy, and what it did for every Application."""

from __future__ import annotations

from typing import Protocol


class ProcessHealth(Protocol):
    """Asked by probes, from any thread; answers at once."""

    @property
    def is_out_of_ports(self) -> bool:
        """Whether outgoing connections fail because the machine has no local port left, so that a restart helps."""

    def why_not_ready(self) -> str:
        """Why the process does not do its work now, one line; empty when it does."""
