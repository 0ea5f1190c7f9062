"""How long ``argocd-image-updater version`` takes from start to end, beside an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import show

ROUNDS = 20
_HEAVY = ("grpc", "requests", "urllib3", "google", "generated", "click", "rich", "yaml", "ssl")
_PROBE = f"""
import sys
from updater.cli.entry import run_program
run_program(["version", "--short"], {{}})
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(len(sys.modules), *sorted(loaded.intersection({_HEAVY!r})))
"""


def main() -> None:
    script = str(Path(sys.executable).with_name("argocd-image-updater"))
    works = ([script, "version"], [sys.executable, "-c", "pass"])
    for work in works:
        _seconds(work)
    measured = [[_seconds(work) for work in works] for _ in range(ROUNDS)]
    ours, bare = zip(*measured, strict=True)
    print(f"start_up: {ROUNDS} rounds, by turns")
    show("argocd-image-updater version, wall", [1000 * seconds for seconds in ours], "ms")
    show("python -c pass, wall", [1000 * seconds for seconds in bare], "ms")
    count, *heavy = _probed()
    print(f"  modules loaded: {count}; of {', '.join(_HEAVY)}: {', '.join(heavy) or 'none'}")


def _seconds(command: list[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began_s


def _probed() -> list[str]:
    """The number of modules after the command, and the heavy ones among them."""
    probe = subprocess.run([sys.executable, "-c", _PROBE], check=True, capture_output=True, text=True)
    return probe.stdout.splitlines()[-1].split()


if __name__ == "__main__":
    main()
