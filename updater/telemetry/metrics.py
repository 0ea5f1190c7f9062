"""The metrics of the catalogue in Prometheus' formats, on a registry object of their own.

Nothing is added to the library's global registry or switched in its globals. What is measured under a name also
counts under the name's aliases. Label values come from code; whoever measures keeps their number bounded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from updater.telemetry.application_series import ApplicationSeries
from updater.telemetry.catalogue import (
    APPLICATION,
    CATALOGUE,
    PLAIN_SCOPE,
    PREFIX,
    SCOPE,
    Alias,
    Definition,
    MetricKind,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What ``render`` returns."""

_Exported = Counter | Gauge | Histogram
_Step = Callable[[float], None]


class _Operation:
    """The library's names of what can be done to a series."""

    INCREASE = "inc"
    SET = "set"
    OBSERVE = "observe"


_KINDS: Mapping[str, tuple[MetricKind, ...]] = MappingProxyType(
    {
        _Operation.INCREASE: (MetricKind.COUNTER, MetricKind.GAUGE),
        _Operation.SET: (MetricKind.GAUGE,),
        _Operation.OBSERVE: (MetricKind.HISTOGRAM,),
    }
)


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """``per_application`` False leaves out what has a series per Application (``runtime.md`` 5.4).

    ``has_aliases``: older names are exported too. ``scope_detail``: the scope of a token is exported as it is.
    """

    per_application: bool = True
    has_aliases: bool = True
    scope_detail: bool = False


class PrometheusMetrics:
    """The measurements of one process (``updater.ports.metrics.Metrics``). Thread-safe."""

    def __init__(self, options: MetricsOptions | None = None) -> None:
        self._options = options or MetricsOptions()
        self._registry = CollectorRegistry()
        self._exports = {definition.name: self._export(definition) for definition in CATALOGUE.values()}
        self._series = ApplicationSeries(self._exported_per_application())
        self._registry.register(self._series)
        # By operation, name and labels: finding a series costs more than measuring it. Never of an Application's
        # series, which come and go.
        self._steps: dict[tuple[str | tuple[str, str], ...], tuple[_Step, ...]] = {}
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    def increase(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter or gauge; raises ``ValueError`` for what the catalogue does not know."""
        self._measure(_Operation.INCREASE, name, amount, labels)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge; raises ``ValueError`` for what the catalogue does not know."""
        self._measure(_Operation.SET, name, value, labels)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram; raises ``ValueError`` for what the catalogue does not know."""
        self._measure(_Operation.OBSERVE, name, value, labels)

    def drop(self, name: str, /, **labels: str) -> None:
        """Take back one series, nothing when there is none; raises ``ValueError`` for one of an Application."""
        definition = _find(name, tuple(MetricKind), labels)
        if definition.is_per_application:
            raise ValueError(f"the series of an Application are forgotten all together, not {name!r} alone")
        for operation in _KINDS:
            self._steps.pop((operation, name, *labels.items()), None)
        for export in self._exports[name]:
            export.drop(labels)

    def forget(self, application: str) -> None:
        """Drop every series of an Application that is gone; what a worker still measures for it is dropped too.

        ``application`` is the text of its key. Until ``expect`` names it again (``runtime.md`` 3.9).
        """
        self._series.forget(application)

    def expect(self, application: str) -> None:
        """An Application that was forgotten is back."""
        self._series.expect(application)

    def render(self) -> bytes:
        """The exposition in Prometheus' text format, of type ``CONTENT_TYPE``."""
        return generate_latest(_WithoutCreationTimes(self._registry))

    def negotiate(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that the header line ``accept`` asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(_WithoutCreationTimes(self._registry)), content_type

    def _export(self, definition: Definition) -> tuple[_Export, ...]:
        """What the library keeps: all but the series of Applications."""
        return tuple(
            _Export(definition, alias, self._registry)
            for alias in self._names(definition)
            if not (alias.keeps_labels and definition.is_per_application)
        )

    def _exported_per_application(self) -> Iterator[tuple[Definition, tuple[str, ...]]]:
        for definition in filter(_is_per_application, CATALOGUE.values()):
            if self._options.per_application:
                yield definition, tuple(alias.name for alias in self._names(definition) if alias.keeps_labels)

    def _names(self, definition: Definition) -> tuple[Alias, ...]:
        return (Alias(definition.name), *(definition.aliases if self._options.has_aliases else ()))

    def _measure(self, operation: str, name: str, amount: float, labels: Mapping[str, str]) -> None:
        key: tuple[str | tuple[str, str], ...] = (operation, name, *labels.items())
        known = self._steps.get(key)
        if known is not None:
            _take(known, amount)
            return
        definition = _find(name, _KINDS[operation], labels)
        if SCOPE in labels and not self._options.scope_detail:
            labels = {**labels, SCOPE: PLAIN_SCOPE}
        if not definition.is_per_application:
            self._steps[key] = steps = self._steps_of(operation, definition, labels)
            _take(steps, amount)
            return
        if self._measure_application(operation, name, amount, labels[APPLICATION]):
            _take(self._steps_of(operation, definition, labels), amount)

    def _measure_application(self, operation: str, name: str, amount: float, application: str) -> bool:
        """False when the Application is gone, which sums over Applications do not count either."""
        match operation:
            case _Operation.SET:
                return self._series.set(name, amount, application)
            case _Operation.OBSERVE:
                return self._series.observe(name, amount, application)
            case _:
                return self._series.increase(name, amount, application)

    def _steps_of(self, operation: str, definition: Definition, labels: Mapping[str, str]) -> tuple[_Step, ...]:
        return tuple(export.step(operation, labels) for export in self._exports[definition.name])


def _take(steps: tuple[_Step, ...], amount: float) -> None:
    for step in steps:
        step(amount)


class _Export:
    """One exported name of one definition."""

    def __init__(self, definition: Definition, alias: Alias, registry: CollectorRegistry) -> None:
        self._labels = definition.labels if alias.keeps_labels else ()
        self._metric = _make(definition, PREFIX + alias.name, self._labels, registry)
        if definition.starts_at_zero:
            for values in itertools.product(*(known for _, known in definition.values)):
                self._metric.labels(*values)

    def step(self, operation: str, labels: Mapping[str, str]) -> _Step:
        """What measures one series."""
        series = self._metric.labels(*(labels[label] for label in self._labels)) if self._labels else self._metric
        step: _Step = getattr(series, operation)
        return step

    def drop(self, labels: Mapping[str, str]) -> None:
        """Take back one series; an alias that sums over the labels keeps what it has counted."""
        if self._labels:
            with suppress(KeyError):  # there is none
                self._metric.remove(*(labels[label] for label in self._labels))


class _WithoutCreationTimes:
    """A registry as an encoder sees it, without the ``_created`` series (``runtime.md`` 5.4).

    The library's own switch for them is a global of the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if sample.name != f"{metric.name}_created"]
            yield metric


def _make(definition: Definition, name: str, labels: tuple[str, ...], registry: CollectorRegistry) -> _Exported:
    match definition.kind:
        case MetricKind.COUNTER:
            return Counter(name, definition.help, labels, registry=registry)
        case MetricKind.GAUGE:
            return Gauge(name, definition.help, labels, registry=registry)
        case MetricKind.HISTOGRAM:
            return Histogram(name, definition.help, labels, registry=registry, buckets=definition.buckets)


def _is_per_application(definition: Definition) -> bool:
    return definition.is_per_application


def _find(name: str, kinds: Iterable[MetricKind], labels: Mapping[str, str]) -> Definition:
    definition = CATALOGUE.get(name)
    if definition is None:
        raise ValueError(f"metric {name!r} is not in the catalogue")
    if definition.kind not in kinds:
        raise ValueError(f"metric {name!r} is a {definition.kind.value}, which this measurement does not fit")
    if set(labels) != set(definition.labels):
        raise ValueError(f"metric {name!r} has the labels {definition.labels}, got {tuple(labels)}")
    return definition
