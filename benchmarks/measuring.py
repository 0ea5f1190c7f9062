"""Processor time, wall time and memory of a piece of work, and how they are printed.

Processor time is that of this process, user and system, all threads. Figures are medians with the smallest and the
largest value; what is compared is run by turns (A B A B), so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")

_RESET_PEAK = "5"
"""What makes Linux forget the peak of the resident set (proc(5), clear_refs)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run, in seconds."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one run, in bytes above the resident set before it: at its peak, and afterwards with its result held."""

    peak_bytes: int
    kept_bytes: int


def cost_of(work: Callable[[], object]) -> Cost:
    """One run. Earlier garbage is collected first, so that nobody pays for somebody else's."""
    return result_of(work)[1]


def result_of(work: Callable[[], Result]) -> tuple[Result, Cost]:
    """The result of one run, and its cost."""
    gc.collect()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    result = work()
    return result, Cost(time.process_time() - cpu_s, time.perf_counter() - wall_s)


def costs_by_turns(rounds: int, *works: Callable[[], object]) -> tuple[tuple[Cost, ...], ...]:
    """The costs of each work in ``rounds`` rounds; every work runs once beforehand, uncounted."""
    for work in works:
        work()
    measured = [tuple(cost_of(work) for work in works) for _ in range(rounds)]
    return tuple(zip(*measured, strict=True))


def memory_of(work: Callable[[], object]) -> Memory:
    """One run, on Linux."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    before = _status_bytes("VmRSS")
    result = work()
    memory = Memory(_status_bytes("VmHWM") - before, _status_bytes("VmRSS") - before)
    del result
    return memory


def show(label: str, values: Iterable[float], unit: str) -> None:
    """One line: the median, the smallest and the largest value."""
    held = tuple(values)
    print(f"  {label:<66} {median(held):>9.3f} {unit:<8} ({min(held):.3f} to {max(held):.3f})")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")


def resident_bytes() -> int:
    """The resident set of this process as it is, garbage collected, on Linux."""
    gc.collect()
    return _status_bytes("VmRSS")


def peak_bytes() -> int:
    """The largest resident set of this process since its start, on Linux."""
    return _status_bytes("VmHWM")
