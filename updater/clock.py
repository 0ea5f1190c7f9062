"""Time as a value: the clock, deadlines, retry delays, duration texts.

Nothing else in the house reads the system clock, sleeps, or draws a random number for a delay; it is handed a
``Clock``. Wall time is UTC and aware; durations use the monotonic clock.
"""

from __future__ import annotations

import random
import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, Protocol


class Clock(Protocol):
    """What the house knows of time."""

    def now(self) -> datetime:
        """Wall time, UTC and aware."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""

    def wait_s(self, seconds: float) -> bool:
        """Wait; False when the wait ended early because the process is shutting down."""

    def uniform(self, low: float, high: float) -> float:
        """A random number between ``low`` and ``high``, for jitter."""


class SystemClock:
    """The real clock. ``stop()`` ends every wait at once; thread-safe."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._random = random.Random()  # noqa: S311 - jitter, not cryptography

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()

    def wait_s(self, seconds: float) -> bool:
        return not self._stopped.wait(max(0.0, seconds))

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def stop(self) -> None:
        """End all present and future waits."""
        self._stopped.set()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on one clock's monotonic scale by which something must have ended."""

    clock: Clock
    at_s: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """The deadline ``seconds`` from now."""
        return cls(clock, clock.monotonic_s() + seconds)

    def remaining_s(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at_s - self.clock.monotonic_s())

    @property
    def has_passed(self) -> bool:
        return self.clock.monotonic_s() >= self.at_s

    def sooner(self, seconds: float) -> Deadline:
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(self.clock, min(self.at_s, self.clock.monotonic_s() + seconds))


class Countdown:
    """A deadline that begins to run when somebody says so for the first time. Thread-safe."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._deadline: Deadline | None = None

    def start(self) -> Deadline:
        """The deadline, which the first caller sets."""
        with self._lock:
            if self._deadline is None:
                self._deadline = Deadline.after(self._clock, self._seconds)
            return self._deadline


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to wait between attempts: base growing by a factor up to a cap, with jitter.

    ``attempts`` counts all of them, the first included.
    """

    attempts: int
    base_s: float
    cap_s: float
    jitter: float = 0.3
    factor: float = 2.0

    def delay_s(self, attempt: int, clock: Clock, *, at_least_s: float = 0.0) -> float:
        """The wait after the failed attempt number ``attempt`` (from 0), at least what a server asked for."""
        grown = min(self.cap_s, self.base_s * self.factor ** min(attempt, 60))
        return max(at_least_s, grown * clock.uniform(1 - self.jitter, 1 + self.jitter))


class DurationError(ValueError):
    """A text that is no duration; ``kind`` is the class of mistake named in ``registries.md`` 7."""

    def __init__(self, kind: Literal["invalid", "missing_unit", "unknown_unit"], text: str) -> None:
        super().__init__(f"invalid duration {text!r}: write a number and a unit, for example 90s or 1h30m")
        self.kind = kind


_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_GROUP = re.compile(r"([0-9]*)(\.([0-9]*))?([^0-9.]*)")
_MAX_NS = 2**63 - 1


def parse_duration_ns(text: str) -> int:
    """Nanoseconds of a Go duration text (``1h30m``, ``1.5s``, ``0``); raises ``DurationError``."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in ("+", "-") and text else text
    if rest == "0":
        return 0
    if not rest:
        raise DurationError("invalid", text)
    limit = _MAX_NS + (1 if negative else 0)
    total = 0
    while rest:
        match = _GROUP.match(rest)
        whole, _, fraction, unit = match.groups() if match else ("", None, None, "")
        if not whole and not fraction:
            raise DurationError("invalid", text)
        if not unit:
            raise DurationError("missing_unit", text)
        if unit not in _UNIT_NS:
            raise DurationError("unknown_unit", text)
        total += int(whole or "0") * _UNIT_NS[unit]
        total += int(Decimal(f"0.{fraction or 0}") * _UNIT_NS[unit])
        if total > limit:
            raise DurationError("invalid", text)
        rest = rest[match.end() :] if match else ""
    return -total if negative else total


def parse_duration_s(text: str) -> float:
    """Seconds of a Go duration text; raises ``DurationError``."""
    return parse_duration_ns(text) / 1e9


def render_duration(seconds: float) -> str:
    """The shortest h/m/s form that keeps lower units once a higher one appears: ``2m0s``, ``1.5s``, ``100ms``."""
    if seconds < 0:
        return "-" + render_duration(-seconds)
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("us", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1_000 and nanoseconds < 1_000_000_000:
            return f"{_trim(nanoseconds / size)}{unit}"
    whole, rest_ns = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(whole, 60)
    text = f"{_trim(rest_ns / 1e9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _trim(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
