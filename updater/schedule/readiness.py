"""Whether the updater does its work: what a probe of readiness is answered (``runtime.md`` 6)."""

from __future__ import annotations

from dataclasses import dataclass

from updater.clock import render_duration

INTERVALS = 3
LEAST_PATIENCE_S = 600.0
"""Work may be as old as so many intervals, and at least this."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Facts at one moment; all seconds are of the monotonic clock.

    ``began_s`` is when the start was over, None while caches warm up. ``listed_s`` is the end of the latest List and
    ``worked_s`` that of the latest cycle or attempt, None before the first. ``relist_s`` is the pause between two Lists
    when all is well: so much older the fleet may be.
    """

    now_s: float
    interval_s: float
    began_s: float | None
    listed_s: float | None = None
    worked_s: float | None = None
    applications: int = 0
    relist_s: float = 0.0
    is_stopping: bool = False


def why_not_ready(pulse: Pulse) -> str:
    """One line for whoever looks at the probe; empty when the work is done as it should be."""
    if pulse.is_stopping:
        return "the updater is shutting down"
    if pulse.began_s is None:
        return "the updater is starting: caches are not warm yet"
    patience_s = max(INTERVALS * pulse.interval_s, LEAST_PATIENCE_S)
    unlisted_s = pulse.now_s - (pulse.began_s if pulse.listed_s is None else pulse.listed_s)
    if unlisted_s > patience_s + pulse.relist_s:
        return f"the Applications could not be listed for {_rounded(unlisted_s)}"
    idle_s = pulse.now_s - (pulse.began_s if pulse.worked_s is None else pulse.worked_s)
    if pulse.applications and idle_s > patience_s:
        return f"no cycle or attempt has finished for {_rounded(idle_s)}, with {pulse.applications} Applications known"
    return ""


def _rounded(seconds: float) -> str:
    return render_duration(float(round(seconds)))
