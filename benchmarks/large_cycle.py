"""Cycle mode over 50,000 Applications and 1,000 repositories with nothing to update, what registries said still fresh.

The runtime is what ``run`` has, metrics per Application and the status of each included; API server and registry run
in a process of their own. The first cycle, which polls every repository and builds every memory, is shown apart.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.measuring import cost_of, peak_bytes, resident_bytes, show
from benchmarks.peers import Peers, running_peers
from updater.assembly import build_runtime
from updater.assembly.runtime import Runtime
from updater.model.report import Report
from updater.ports.log import NullLog
from updater.settings.parts import FaceSettings, RegistrySettings, RunSettings

APPLICATIONS = 50_000
REPOSITORIES = 1_000
ROUNDS = 3
_INTERVAL_S = 3600.0
"""Long, so that lists of tags are fresh in every round."""


def main() -> None:
    with running_peers(APPLICATIONS, REPOSITORIES) as peers, tempfile.TemporaryDirectory() as folder:
        print(f"large_cycle: {APPLICATIONS} Applications, {REPOSITORIES} repositories, {ROUNDS} rounds")
        print(f"  resident at the start {_mib(resident_bytes())}")
        with closing(_runtime(peers, Path(folder))) as runtime:
            _show_rounds(runtime)


def _runtime(peers: Peers, folder: Path) -> Runtime:
    conf = folder / "registries.conf"
    # Without a limit of requests per second: 1,000 repositories would take 50 s at the usual one.
    conf.write_text(peers.registries_conf + "  limit: 0\n", encoding="utf-8")
    settings = RunSettings(
        connection=peers.connection(over_grpc_web=True),
        face=FaceSettings(health_port=0, metrics_port=0, status_addr="127.0.0.1:0"),
        registry=RegistrySettings(conf_path=str(conf), interval_s=_INTERVAL_S),
        interval_s=_INTERVAL_S,
    )
    return build_runtime(settings, log=NullLog(), environment={})


def _show_rounds(runtime: Runtime) -> None:
    first = cost_of(lambda: _check(runtime.run_once()))
    print(f"  first round: CPU {first.cpu_s:.2f} s, wall {first.wall_s:.2f} s")
    costs = [cost_of(lambda: _check(runtime.run_once())) for _ in range(ROUNDS)]
    show("a round, CPU", [cost.cpu_s for cost in costs], "s")
    show("a round, wall", [cost.wall_s for cost in costs], "s")
    print(f"  resident between rounds {_mib(resident_bytes())}, at the peak {_mib(peak_bytes())}")


def _check(report: Report) -> None:
    assert (report.totals["images_considered"], report.totals["errors"]) == (APPLICATIONS, 0), report.totals


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
