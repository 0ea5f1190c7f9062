"""What is remembered of attempts, per Application, for the life of the process (``runtime.md`` 3.5).

Not thread-safe: its owner, the dispatcher or the cycle runner, holds a lock around it. Seconds are monotonic, so a step
of the wall clock changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import replace

from updater.schedule.passes import Candidate, Room


class ScheduleState:
    """Candidates by key, and who of them runs."""

    def __init__(self) -> None:
        self._known: dict[str, Candidate] = {}
        self._running: dict[str, str] = {}
        """The repository of each running Application, as it was when it began."""
        self._by_repository: Counter[str] = Counter()
        self._parked: set[str] = set()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def running(self) -> int:
        return len(self._running)

    def candidate(self, key: str, repository: str) -> Candidate:
        """What is remembered; an Application that was never seen has never been attempted."""
        known = self._known.get(key)
        if known is None:
            known = Candidate(key, repository)
        elif known.repository != repository:
            known = replace(known, repository=repository)
        else:
            return known
        self._known[key] = known
        return known

    def began(self, key: str, repository: str, now_s: float) -> None:
        """An attempt was handed to a worker."""
        known = self.candidate(key, repository)
        self._known[key] = replace(known, last_attempt_s=now_s, is_running=True)
        self._running[key] = repository
        self._by_repository[repository] += 1

    def ended(self, key: str, now_s: float, *, is_success: bool) -> None:
        """The attempt is over; an Application that has left meanwhile is forgotten by the next ``retain``."""
        self._parked.discard(key)
        repository = self._running.pop(key)
        self._by_repository[repository] -= 1
        if not self._by_repository[repository]:
            del self._by_repository[repository]
        known = self._known[key]
        if is_success:
            self._known[key] = replace(known, is_running=False, fail_count=0, last_success_s=now_s)
        else:
            self._known[key] = replace(known, is_running=False, fail_count=known.fail_count + 1)

    def retain(self, keys: Container[str]) -> None:
        """Forget everybody else who is not running."""
        for key in [key for key in self._known if key not in keys and key not in self._running]:
            del self._known[key]

    def forget(self, key: str) -> None:
        """Forget one that is not running; of one that runs nothing changes."""
        if key not in self._running:
            self._known.pop(key, None)

    def park(self, key: str, most: int) -> bool:
        """One that runs only waits from now on and takes up no worker; False when it does not run, or ``most`` wait."""
        if key not in self._running or len(self._parked) >= most:
            return False
        self._parked.add(key)
        return True

    def unpark(self, key: str) -> None:
        """It goes on, even if that makes more workers busy than there should be."""
        self._parked.discard(key)

    def is_running(self, key: str) -> bool:
        return key in self._running

    def room(self, workers: int) -> Room:
        """What the running ones leave of ``workers``. A view: it is good until the next change."""
        return Room(workers, len(self._running) - len(self._parked), self._by_repository)
