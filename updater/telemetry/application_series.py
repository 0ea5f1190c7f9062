"""The series of Applications, in little memory: one row of numbers each, turned into families when somebody scrapes.

The library keeps an object with a lock for each series, and one for each bucket of a histogram: 27 of them, 11 kB, for
one Application, which is half a gigabyte for a large fleet. A row is 264 bytes. Definitions whose only label is the
Application are kept here, under every name that they are exported by; everything else is the library's.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from updater.telemetry.catalogue import APPLICATION, PREFIX, Definition, MetricKind

MAX_REMEMBERED = 10_000
"""Applications that are known to be gone: long enough for a worker that was busy with one to end."""

_ABSENT = math.nan
"""In the cell of what was never measured; nobody measures it."""

_LABELS = (APPLICATION,)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a definition's numbers stand in a row: one cell, or for a histogram the sum and then a cell per bucket."""

    definition: Definition
    names: tuple[str, ...]
    begin: int

    @property
    def end(self) -> int:
        # One bucket more than bounds: what is larger than all of them.
        return self.begin + 1 + (len(self.definition.buckets) + 1 if self.definition.buckets else 0)


class ApplicationSeries:
    """A collector of the library. Thread-safe. Holds nothing when ``exported`` is empty, and knows who is gone."""

    def __init__(self, exported: Iterable[tuple[Definition, tuple[str, ...]]]) -> None:
        self._places: dict[str, _Place] = {}
        self._width = 0
        for definition, names in exported:
            self._places[definition.name] = place = _Place(definition, names, self._width)
            self._width = place.end
        self._lock = threading.Lock()
        self._rows: dict[str, array[float]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def increase(self, name: str, amount: float, application: str) -> bool:
        """Add to a counter or gauge; False, and nothing is added, when the Application is gone."""
        with self._lock:
            row = self._row(application)
            place = self._places.get(name)
            if row is not None and place is not None:
                known = row[place.begin]
                row[place.begin] = amount if math.isnan(known) else known + amount
        return row is not None

    def set(self, name: str, value: float, application: str) -> bool:
        """Set a gauge; False, and nothing is set, when the Application is gone."""
        with self._lock:
            row = self._row(application)
            place = self._places.get(name)
            if row is not None and place is not None:
                row[place.begin] = value
        return row is not None

    def observe(self, name: str, value: float, application: str) -> bool:
        """Add to a histogram; False, and nothing is added, when the Application is gone."""
        with self._lock:
            row = self._row(application)
            place = self._places.get(name)
            if row is not None and place is not None:
                _observe(row, place, value)
        return row is not None

    def forget(self, application: str) -> None:
        """Drop everything about an Application, also what a worker still measures for it, until it is expected."""
        with self._lock:
            self._rows.pop(application, None)
            self._gone[application] = None
            self._gone.move_to_end(application)
            if len(self._gone) > MAX_REMEMBERED:
                self._gone.popitem(last=False)

    def expect(self, application: str) -> None:
        """An Application that was forgotten is back."""
        with self._lock:
            self._gone.pop(application, None)

    def describe(self) -> Iterator[Metric]:
        """The families without a sample, for the library's check of their names."""
        return self._families(())

    def collect(self) -> Iterator[Metric]:
        """The families as of now."""
        with self._lock:
            rows = tuple((application, row[:]) for application, row in self._rows.items())
        return self._families(rows)

    def _families(self, rows: Iterable[tuple[str, array[float]]]) -> Iterator[Metric]:
        for place in self._places.values():
            for name in place.names:
                yield _family(place, PREFIX + name, rows)

    def _row(self, application: str) -> array[float] | None:
        """With the lock held; None when the Application is gone."""
        row = self._rows.get(application)
        if row is None and application not in self._gone:
            row = array("d", (_ABSENT,)) * self._width
            if self._width:
                self._rows[application] = row
        return row


def _observe(row: array[float], place: _Place, value: float) -> None:
    begin = place.begin
    if math.isnan(row[begin]):
        row[begin : place.end] = array("d", (0.0,)) * (place.end - begin)
    row[begin] += value
    # Bounds belong to their bucket.
    row[begin + 1 + bisect_left(place.definition.buckets, value)] += 1


def _family(place: _Place, name: str, rows: Iterable[tuple[str, array[float]]]) -> Metric:
    definition, begin = place.definition, place.begin
    present = ((application, row) for application, row in rows if not math.isnan(row[begin]))
    match definition.kind:
        case MetricKind.HISTOGRAM:
            histogram = HistogramMetricFamily(name, definition.help, labels=_LABELS)
            bounds = [*(repr(float(bound)) for bound in definition.buckets), "+Inf"]
            for application, row in present:
                counts = accumulate(row[begin + 1 : place.end])
                histogram.add_metric((application,), list(zip(bounds, counts, strict=True)), row[begin])
            return histogram
        case MetricKind.COUNTER:
            counter = CounterMetricFamily(name, definition.help, labels=_LABELS)
            for application, row in present:
                counter.add_metric((application,), row[begin])
            return counter
        case MetricKind.GAUGE:
            gauge = GaugeMetricFamily(name, definition.help, labels=_LABELS)
            for application, row in present:
                gauge.add_metric((application,), row[begin])
            return gauge
