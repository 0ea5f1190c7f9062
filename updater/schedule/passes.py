"""The scheduling pass: which Applications start now, in which order, and why others do not (``runtime.md`` 3.6).

Pure: values in, values out. Times are seconds on any one scale. It has two halves, because they change at different
moments: the order, which depends on what is offered and on time, and the start, which depends on free slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import assert_never

from updater.schedule.options import Mode, Schedule, ScheduleOptions

_NOBODY: Mapping[str, int] = MappingProxyType({})


class SkipReason(Enum):
    """Why a due Application is not started; the values are labels of ``scheduler_skipped_total``."""

    IN_FLIGHT = "in-flight"
    PER_REPO_CAP = "per-repo-cap"
    COOLDOWN = "cooldown"
    CONCURRENCY = "concurrency"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is remembered of one Application (``runtime.md`` 3.5).

    ``key`` is the text ``namespace/name``; ``repository`` is empty when unknown; None stands for "never";
    ``fail_count`` counts consecutive failed attempts. Who was nudged is passed with ``last_attempt_s`` None.
    """

    key: str
    repository: str = ""
    last_attempt_s: float | None = None
    last_success_s: float | None = None
    fail_count: int = 0
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Due and idle Applications by priority; those that are due and running; those whose time has not come."""

    ready: tuple[Candidate, ...] = ()
    running: tuple[Candidate, ...] = ()
    not_due: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What is taken: ``workers`` in all, ``running`` Applications, and how many of them per repository."""

    workers: int
    running: int = 0
    by_repository: Mapping[str, int] = field(default_factory=lambda: _NOBODY)


@dataclass(frozen=True, slots=True)
class Start:
    """Keys to start, in start order, and why the others of the order are put off."""

    dispatch: tuple[str, ...]
    skipped: tuple[tuple[str, SkipReason], ...]


@dataclass(frozen=True, slots=True)
class PassResult:
    """One whole pass: keys by priority, and what becomes of each candidate."""

    order: tuple[str, ...]
    dispatch: tuple[str, ...]
    skipped: tuple[tuple[str, SkipReason], ...]
    not_due: tuple[str, ...]


def schedule_pass(
    candidates: Iterable[Candidate], now_s: float, mode: Mode, options: ScheduleOptions, room: Room
) -> PassResult:
    """The order and the start in one."""
    order = order_candidates(candidates, now_s, mode, options)
    start = start_in_order(order.ready, now_s, mode, options, room)
    in_flight = tuple((each.key, SkipReason.IN_FLIGHT) for each in order.running)
    return PassResult(
        order=tuple(each.key for each in order.ready),
        dispatch=start.dispatch,
        skipped=in_flight + start.skipped,
        not_due=tuple(each.key for each in order.not_due),
    )


def order_candidates(candidates: Iterable[Candidate], now_s: float, mode: Mode, options: ScheduleOptions) -> Order:
    """Steps 1 to 5: sort by key, take out who is not due or runs, sort by priority."""
    ready: list[Candidate] = []
    running: list[Candidate] = []
    not_due: list[Candidate] = []
    for each in sorted(candidates, key=_key):
        if mode is Mode.CONTINUOUS and not is_due(each, now_s, options):
            not_due.append(each)
        else:
            (running if each.is_running else ready).append(each)
    # The sort is stable, so the key of the Application is the last criterion already.
    ready.sort(key=_priority(now_s, options))
    return Order(tuple(ready), tuple(running), tuple(not_due))


def start_in_order(ready: Sequence[Candidate], now_s: float, mode: Mode, options: ScheduleOptions, room: Room) -> Start:
    """Step 6: walk the order while there are slots. Cycles have no slots: their pool works through everything."""
    free = room.workers - room.running if mode is Mode.CONTINUOUS else len(ready)
    counts = dict(room.by_repository)
    dispatch: list[str] = []
    skipped: list[tuple[str, SkipReason]] = []
    for each in ready:
        if _is_capped(each, counts, options):
            skipped.append((each.key, SkipReason.PER_REPO_CAP))
        elif free <= 0:
            cooled = is_cooled(each, now_s, options)
            skipped.append((each.key, SkipReason.COOLDOWN if cooled else SkipReason.CONCURRENCY))
        else:
            dispatch.append(each.key)
            counts[each.repository] = counts.get(each.repository, 0) + 1
            free -= 1
    return Start(tuple(dispatch), tuple(skipped))


def start_next(ready: Sequence[Candidate], options: ScheduleOptions, room: Room) -> tuple[str, ...]:
    """What ``start_in_order`` would dispatch in continuous mode, without a look at those behind the last free slot."""
    free = room.workers - room.running
    counts = dict(room.by_repository)
    dispatch: list[str] = []
    for each in ready:
        if free <= 0:
            break
        if not _is_capped(each, counts, options):
            dispatch.append(each.key)
            counts[each.repository] = counts.get(each.repository, 0) + 1
            free -= 1
    return tuple(dispatch)


def is_due(candidate: Candidate, now_s: float, options: ScheduleOptions) -> bool:
    """Never attempted (or nudged), or at least one interval ago."""
    last = candidate.last_attempt_s
    return last is None or now_s - last >= options.interval_s


def is_cooled(candidate: Candidate, now_s: float, options: ScheduleOptions) -> bool:
    """A recent success with no failure since: it gives way to others, and is never dropped for it."""
    last = candidate.last_success_s
    if options.cooldown_s <= 0 or last is None or candidate.fail_count:
        return False
    return now_s - last < options.cooldown_s


def _key(candidate: Candidate) -> str:
    # Code points sort as the bytes of UTF-8 do.
    return candidate.key


def _is_capped(candidate: Candidate, counts: Mapping[str, int], options: ScheduleOptions) -> bool:
    if options.per_repo_cap <= 0 or not candidate.repository:
        return False
    return counts.get(candidate.repository, 0) >= options.per_repo_cap


def _priority(now_s: float, options: ScheduleOptions) -> Callable[[Candidate], tuple[float, ...]]:
    """The sort key of step 5 without its last part; ``_never_first`` makes two numbers of a time."""
    match options.schedule:
        case Schedule.DEFAULT if options.per_repo_cap > 0:
            return lambda each: (is_cooled(each, now_s, options), *_never_first(each.last_attempt_s))
        case Schedule.DEFAULT:
            return lambda each: (is_cooled(each, now_s, options),)
        case Schedule.LRU:
            return lambda each: (
                is_cooled(each, now_s, options),
                *_never_first(each.last_success_s),
                *_never_first(each.last_attempt_s),
            )
        case Schedule.FAIL_FIRST:
            return lambda each: (-each.fail_count, is_cooled(each, now_s, options), *_latest_failure_first(each))
        case _:
            assert_never(options.schedule)


def _never_first(time_s: float | None) -> tuple[bool, float]:
    return (False, 0.0) if time_s is None else (True, time_s)


def _latest_failure_first(candidate: Candidate) -> tuple[bool, float]:
    known, time_s = _never_first(candidate.last_attempt_s)
    return (known, -time_s) if candidate.fail_count else (known, time_s)
