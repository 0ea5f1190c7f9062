"""Continuous mode at rest: 10,000 Applications over 1,000 repositories, interval 120 s, nothing to update.

Meanwhile the controller reconciles as usual, and every reconcile is an event of the Watch. The runtime is what
``run --mode continuous`` has, metrics per Application and the status of each included; API server and registry run in a
process of their own. What is measured is one whole interval, after every Application has been attempted once and a part
of them a second time.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import resident_bytes
from benchmarks.peers import Peers, running_peers
from updater.assembly import build_runtime
from updater.clock import SystemClock
from updater.ports.log import Field, NullLog
from updater.settings.parts import FaceSettings, RegistrySettings, RunSettings

APPLICATIONS = 10_000
REPOSITORIES = 1_000
INTERVAL_S = 120.0
RECONCILES_PER_S = 55
"""Argo CD comes round to each of 10,000 Applications once in three minutes."""
_SETTLED_AFTER = 1.25
"""Intervals: by then the first attempts, which come all at once, are over and the second ones have begun."""


class TallyingLog(NullLog):
    """Counts records of successes. Integers are added by many threads at once: a few may be lost."""

    succeeded = 0

    def info(self, event: str, /, **fields: Field) -> None:
        del fields
        self.succeeded += event == "application_succeeded"


@dataclass(frozen=True, slots=True)
class Rest:
    """One interval of a process that has nothing to do. ``asked``: by method of the API, and of the registry."""

    attempts: int
    cpu_s: float
    wall_s: float
    resident_bytes: int
    threads: int
    asked_at_first: Counter[str]
    asked: Counter[str]


@contextmanager
def running(peers: Peers, folder: Path, interval_s: float) -> Iterator[TallyingLog]:
    """A runtime in continuous mode, until the end of the block; its log."""
    log = TallyingLog()
    conf = folder / "registries.conf"
    conf.write_text(peers.registries_conf, encoding="utf-8")
    settings = RunSettings(
        connection=peers.connection(over_grpc_web=True),
        face=FaceSettings(health_port=0, metrics_port=0, status_addr="127.0.0.1:0"),
        registry=RegistrySettings(conf_path=str(conf), interval_s=interval_s),
        interval_s=interval_s,
        mode="continuous",
        is_warmed_up=False,
    )
    runtime = build_runtime(settings, log=log, environment={})
    thread = threading.Thread(target=runtime.run, name="round")
    with closing(runtime):
        thread.start()
        try:
            yield log
        finally:
            runtime.stop()
            thread.join()


def rest(peers: Peers, log: TallyingLog, interval_s: float) -> Rest:
    """What one interval costs the process that ``running`` has begun."""
    clock = SystemClock()
    clock.wait_s(_SETTLED_AFTER * interval_s)
    before, attempts = peers.asked(), log.succeeded
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    clock.wait_s(interval_s)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    attempts = log.succeeded - attempts
    return Rest(attempts, cpu_s, wall_s, resident_bytes(), threading.active_count(), before, peers.asked() - before)


def main() -> None:
    with running_peers(APPLICATIONS, REPOSITORIES) as peers, tempfile.TemporaryDirectory() as folder:
        print(f"continuous_steady: {APPLICATIONS} Applications, {REPOSITORIES} repositories, every {INTERVAL_S:.0f} s")
        before = resident_bytes()
        with running(peers, Path(folder), INTERVAL_S) as log:
            peers.reconcile(RECONCILES_PER_S)
            seen = rest(peers, log, INTERVAL_S)
        print(f"  CPU {seen.cpu_s:.2f} s in {seen.wall_s:.1f} s, {100 * seen.cpu_s / seen.wall_s:.1f} % of a core")
        print(f"  {seen.attempts} attempts, CPU {1e3 * seen.cpu_s / seen.attempts:.3f} ms each")
        print(f"  resident {seen.resident_bytes / 2**20:.0f} MiB, before {before / 2**20:.0f} MiB")
        print(f"  threads {seen.threads}")
        print(f"  asked until then: {_text(seen.asked_at_first)}")
        print(f"  asked in the interval: {_text(seen.asked)}")


def _text(asked: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(asked.items()))


if __name__ == "__main__":
    main()
