"""The listeners of ``run``: health, metrics, status (``runtime.md`` 3.1, 3.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.addresses import Address, parse_address
from sidecar.connections import Limits
from sidecar.exposition import METRICS_LIMITS, metrics_application
from sidecar.health import BuildFacts, health_application
from sidecar.server import Listener, ListenerOptions, OnDeath
from sidecar.status.application import status_application
from updater import BUILD_DATE, COMMIT, __version__
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.ports.metrics import Exposition
from updater.ports.status import ProcessHealth, StatusReader
from updater.settings.parts import FaceSettings

PROBE_LIMITS = Limits(workers=8, request_timeout_s=3.0)
"""Probes are small and wait for a second; who takes longer than this must not keep a worker from them."""

_STARTED = {
    "health": "health_server_started",
    "metrics": "metrics_server_started",
    "status": "status_server_started",
}
"""Events of the log, by the names of listeners."""

BUILD = BuildFacts(f"v{__version__}+{COMMIT[:7]}", COMMIT, BUILD_DATE)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the listeners show; ``exposition`` None when nothing is measured, ``status`` None when nothing is kept."""

    health: ProcessHealth
    exposition: Exposition | None = None
    status: StatusReader | None = None


class Face:
    """All listeners of one process; opened and closed once, by their owner."""

    def __init__(self, listeners: Sequence[Listener], around: Surroundings) -> None:
        self._listeners = listeners
        self._around = around

    def open(self, on_death: OnDeath) -> None:
        """Take every address, then serve. Raises ``ConfigurationError`` ``port_in_use`` with nothing left open."""
        try:
            for listener in self._listeners:
                listener.bind()
        except BaseException:
            self.close(Deadline.after(self._around.clock, 0.0))
            raise
        for listener in self._listeners:
            self._around.log.info(_STARTED[listener.name], port=listener.address.port)
            listener.start(on_death)

    def close(self, deadline: Deadline) -> None:
        """Close all, by one deadline. Idempotent."""
        for listener in self._listeners:
            listener.stop(deadline)

    @property
    def addresses(self) -> dict[str, Address]:
        """Where the listeners listen, by name."""
        return {listener.name: listener.address for listener in self._listeners}


def build_face(settings: FaceSettings, shown: Shown, around: Surroundings) -> Face:
    """The listeners that the settings want, not yet bound. Raises ``ConfigurationError`` ``bad_address``."""
    listeners: list[Listener] = []
    if settings.health_port is not None:
        application = health_application(shown.health, BUILD, around.log)
        options = ListenerOptions("health", "--health-port", PROBE_LIMITS, without="--health-port 0")
        listeners.append(Listener(Address("", settings.health_port), application, options, around.clock, around.log))
    if settings.metrics_port is not None and shown.exposition is not None:
        metrics = metrics_application(shown.exposition, around.log)
        options = ListenerOptions("metrics", "--metrics-port", METRICS_LIMITS, without="--metrics-port 0")
        listeners.append(Listener(Address("", settings.metrics_port), metrics, options, around.clock, around.log))
    if settings.status_addr and shown.status is not None:
        listeners.append(_status_listener(settings.status_addr, shown.status, around))
    return Face(listeners, around)


def _status_listener(text: str, status: StatusReader, around: Surroundings) -> Listener:
    address = parse_address(text, "--status-addr")
    if not address.is_loopback:
        remark = (
            f"--status-addr {address}: whoever reaches it sees the names, images and reasons of every Application; "
            "let only an authenticating proxy reach it"
        )
        around.log.warning("setting_remarked", kind="status_exposed", text=remark)
    instance = f"{around.clock.now().timestamp():.0f}"
    application = status_application(status, address, around.log, instance=instance)
    options = ListenerOptions("status", "--status-addr", without="--status-addr=")
    return Listener(address, application, options, around.clock, around.log)
