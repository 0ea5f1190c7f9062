"""The health probe while connections fail for want of local ports: the real gate, behind the real application."""

from __future__ import annotations

from typing import Any

from werkzeug.test import Client

from sidecar.health import BuildFacts, health_application
from tests.conformance.vectors import Vector
from updater.assembly.health import RuntimeHealth
from updater.clock import SystemClock
from updater.ports.log import NullLog
from updater.registry.port_exhaustion import PortExhaustion
from updater.schedule.readiness import Pulse
from updater.settings.model import Platform
from updater.settings.parts import face_settings, registry_settings
from updater.settings.resolution import resolve_command_line


class _GivenClock(SystemClock):
    """The seconds of the vector."""

    at_s = 0.0

    def monotonic_s(self) -> float:
        return self.at_s


def _port_exhaustion(vector: Vector) -> Any:
    words = ["run", "--applications-api", "argocd", "--disable-kubernetes"]
    settings = resolve_command_line(words, vector.given["env"], Platform()).settings
    limits, clock = registry_settings(settings), _GivenClock()
    ports = PortExhaustion(clock, window_s=limits.port_exhaustion_window_s, threshold=limits.port_exhaustion_threshold)
    health = RuntimeHealth(
        ports, lambda: Pulse(clock.at_s, 0.0, None), fails_without_ports=face_settings(settings).fails_without_ports
    )
    for at_s in vector.given["event_times"]:
        clock.at_s = at_s
        ports.record()
    clock.at_s = vector.given["probe_time"]
    answer = Client(health_application(health, BuildFacts("v1", "", ""), NullLog())).get("/healthz")
    return {"status": answer.status_code, "body": answer.get_data(as_text=True)}


ADAPTERS = {"port_exhaustion": _port_exhaustion}
