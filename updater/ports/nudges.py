"""From an event about a repository to the Applications that use it: what webhooks need of whoever schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PushEvent:
    """Somebody pushed to a repository. All are texts of a stranger, and may be empty except ``repository``.

    ``registry`` is ``host[:port]``, empty when the sender does not say. Nothing but registry and repository is ever
    acted on: the tag and the digest are shown, and the registry is asked as usual (``runtime.md`` 7.6).
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""


class Nudges(Protocol):
    """Has Applications looked at because something they use has changed. Thread-safe."""

    def nudge(self, event: PushEvent) -> int:
        """Have every Application that uses the repository processed soon; returns their number.

        Returns before they are processed. Each is processed once however often it is nudged meanwhile; one that runs
        is processed once more when it ends.
        """

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until nothing that was nudged waits or runs; False when time was up."""
