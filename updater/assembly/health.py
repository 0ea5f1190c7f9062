"""The health of this process, out of what its parts know."""

from __future__ import annotations

from collections.abc import Callable

from updater.registry.port_exhaustion import PortExhaustion
from updater.schedule.readiness import Pulse, why_not_ready
from updater.telemetry.metrics import PrometheusMetrics


class RuntimeHealth:
    """What probes are answered (``updater.ports.status.ProcessHealth``)."""

    def __init__(self, ports: PortExhaustion, feel_pulse: Callable[[], Pulse], *, fails_without_ports: bool) -> None:
        self._ports = ports
        self._feel_pulse = feel_pulse
        self._fails_without_ports = fails_without_ports

    @property
    def is_out_of_ports(self) -> bool:
        return self._fails_without_ports and self._ports.is_critical

    def why_not_ready(self) -> str:
        return why_not_ready(self._feel_pulse())


class FreshExposition:
    """The metrics, with what is only looked at when somebody asks (``updater.ports.metrics.Exposition``)."""

    def __init__(self, metrics: PrometheusMetrics, ports: PortExhaustion) -> None:
        self._metrics = metrics
        self._ports = ports

    def negotiate(self, accept: str) -> tuple[bytes, str]:
        """The port's. Whether ports are short is told also where it fails no probe."""
        self._metrics.set("port_exhaustion_degraded", float(self._ports.is_critical))
        return self._metrics.negotiate(accept)
