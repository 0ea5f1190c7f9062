"""What every part is built with: the environment, the clock, the log, the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from updater.clock import SystemClock
from updater.ports.log import EventLog, NullLog
from updater.ports.metrics import Metrics, NoMetrics
from updater.transport.proxies import ProxyOptions


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``environment`` names proxies and holds what credential sources of type ``env`` refer to; never shown."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    clock: SystemClock = field(default_factory=SystemClock)
    log: EventLog = field(default_factory=NullLog)
    metrics: Metrics = field(default_factory=NoMetrics)

    @property
    def proxies(self) -> ProxyOptions:
        return ProxyOptions.from_environment(self.environment)
