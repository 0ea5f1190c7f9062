"""Round after round with the clock running ahead, and what the process holds in between."""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from benchmarks.polling.peer import RegistryPeer
from benchmarks.polling.updater import (
    INTERVAL_S,
    VERSIONS,
    Updater,
    application_by_age,
    fleet_by_version,
    repository_name,
)

BUILDS = 50
NEW_BUILD_EVERY = 10
_BY_AGE = "fleet/builds"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What this process holds of the system."""

    sockets: int
    other_files: int
    threads: int
    resident_bytes: int

    def __str__(self) -> str:
        mib = self.resident_bytes / 1024**2
        return f"{self.sockets} sockets, {self.other_files} other files, {self.threads} threads, {mib:.1f} MiB"


def holdings() -> Holdings:
    """As of now, on Linux."""
    gc.collect()
    links = [_target(link) for link in Path("/proc/self/fd").iterdir()]
    sockets = sum(link.startswith("socket:") for link in links)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    resident_bytes = pages * os.sysconf("SC_PAGE_SIZE")
    return Holdings(sockets, len(links) - sockets, threading.active_count(), resident_bytes)


class Soak:
    """Polls of one fleet in a row: most by version, one by age, for which an old build appears every tenth round."""

    def __init__(self, peer: RegistryPeer, updater: Updater, repositories: int) -> None:
        self._peer = peer
        self._updater = updater
        self._rounds = 0
        for number in range(repositories):
            peer.order("fill", repository_name(number), VERSIONS)
        peer.order("fill", _BY_AGE, [f"b{number}" for number in range(BUILDS)])
        newest = application_by_age(_BY_AGE, f"b{BUILDS - 1}")
        self._fleet = [*fleet_by_version(repositories, repositories), newest]

    def poll(self, rounds: int) -> Holdings:
        """So many rounds; what is held after them."""
        for _ in range(rounds):
            if self._rounds % NEW_BUILD_EVERY == 0:
                self._peer.order("push", _BY_AGE, f"old-{self._rounds}")
            self._updater.poll(self._fleet)
            self._updater.clock.stride(INTERVAL_S)
            self._rounds += 1
        return holdings()


def _target(link: Path) -> str:
    """What an open file is; empty for the one that listed the folder, which is closed again."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""
