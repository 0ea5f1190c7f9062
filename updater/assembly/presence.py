"""What one process shows of itself while it runs: metrics, health, status, and the listeners that serve them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from sidecar.addresses import Address
from updater.assembly.face import Face, Shown, build_face
from updater.assembly.health import FreshExposition, RuntimeHealth
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline
from updater.errors import UpdaterError
from updater.model.report import Report
from updater.ports.status import Rhythm
from updater.registry.port_exhaustion import PortExhaustion
from updater.schedule.follower import FollowOptions
from updater.schedule.options import Mode
from updater.schedule.readiness import Pulse
from updater.settings.parts import FaceSettings, RunSettings
from updater.telemetry.metrics import MetricsOptions, PrometheusMetrics
from updater.telemetry.redactor import Redactor
from updater.telemetry.status_store import StatusStore

WarmUp = Callable[[], Mapping[str, int]]


class Runner(Protocol):
    """What both ways of running tell of themselves; seconds are monotonic, None before the first time."""

    @property
    def listed_s(self) -> float | None: ...

    @property
    def ended_s(self) -> float | None: ...

    @property
    def fleet_size(self) -> int: ...


class Presence:
    """One per process. Thread-safe; ``open`` and ``close`` once each."""

    def __init__(
        self,
        settings: RunSettings,
        around: Surroundings,
        exported: PrometheusMetrics | None,
        ports: PortExhaustion,
    ) -> None:
        self._settings = settings
        self._around = around
        self._exported = exported
        self._is_ending = False
        self._interval_s = settings.interval_s
        self._redactor = Redactor(settings.face.secrets)
        rhythm = Rhythm(settings.mode, settings.interval_s, settings.is_dry_run)
        # Without somebody who can ask, nothing is kept.
        self._status = StatusStore(rhythm, around.clock, self._redactor.clean) if settings.face.status_addr else None
        self._runner: Runner | None = None
        self._began_s: float | None = None
        self._lost_listener = ""
        health = RuntimeHealth(ports, self._feel_pulse, fails_without_ports=settings.face.fails_without_ports)
        exposition = None if exported is None else FreshExposition(exported, ports)
        self._face: Face = build_face(settings.face, Shown(health, exposition, self._status), around)

    def open(self, on_death: Callable[[], None]) -> None:
        """Take the ports of all listeners and serve; ``on_death`` is called once one of them has died.

        Raises ``ConfigurationError`` ``port_in_use``.
        """

        def lose(name: str) -> None:
            self._lost_listener = name
            on_death()

        self._face.open(lose)

    def reconfigure(self, settings: RunSettings) -> None:
        """Take over a new interval and new secrets."""
        self._redactor.add(*settings.face.secrets)
        self._interval_s = settings.interval_s
        if self._status is not None:
            self._status.change_interval(settings.interval_s)

    def end(self) -> None:
        """The shutdown has begun: probes hear of it."""
        self._is_ending = True

    def close(self, deadline: Deadline) -> None:
        """Close the listeners. Idempotent."""
        self._face.close(deadline)

    @property
    def lost_listener(self) -> str:
        """The name of a listener that died, empty while all live."""
        return self._lost_listener

    @property
    def addresses(self) -> Mapping[str, Address]:
        """Where the listeners listen, by name."""
        return self._face.addresses

    def follow(self, runner: Runner) -> None:
        """The work is about to begin: what ``runner`` tells counts for readiness."""
        self._runner = runner

    def warming(self, warm_up: WarmUp | None) -> WarmUp | None:
        """``warm_up`` as it is to be called: readiness begins when it ends, or now when there is none."""
        if warm_up is None:
            self._began_s = self._around.clock.monotonic_s()
            return None

        def watched() -> Mapping[str, int]:
            try:
                return warm_up()
            finally:
                self._began_s = self._around.clock.monotonic_s()

        return watched

    def note_known(self, key: str) -> None:
        """An Application is looked after from now on."""
        if self._exported is not None:
            self._exported.expect(key)
        if self._status is not None:
            self._status.note_known(key)

    def note_gone(self, key: str) -> None:
        """An Application is not looked after any more: its series go with it (``runtime.md`` 3.9)."""
        if self._exported is not None:
            self._exported.forget(key)
        if self._status is not None:
            self._status.note_gone(key)

    def note_trouble(self, error: UpdaterError | None) -> None:
        """The Applications could not be listed; None: they could."""
        if self._status is None:
            return
        if error is None:
            self._status.note_listed()
        else:
            self._status.note_unlisted(str(error), error.code)

    def note_cycle(self, report: Report) -> None:
        """A cycle has ended."""
        if self._status is not None:
            self._status.note_cycle(report)

    def note_attempts(self, report: Report) -> None:
        """Attempts at single Applications have ended."""
        if self._status is not None:
            self._status.note_attempts(report)

    def note_failure(self, key: str, error: UpdaterError) -> None:
        """An attempt at one Application came to no report."""
        if self._status is not None:
            self._status.note_failure(key, str(error), error.code)

    def _feel_pulse(self) -> Pulse:
        runner = self._runner
        is_continuous = Mode(self._settings.mode) is Mode.CONTINUOUS
        return Pulse(
            now_s=self._around.clock.monotonic_s(),
            interval_s=self._interval_s,
            began_s=self._began_s,
            listed_s=runner.listed_s if runner else None,
            worked_s=runner.ended_s if runner else None,
            applications=runner.fleet_size if runner else 0,
            relist_s=FollowOptions().relist_s if is_continuous else 0.0,
            is_stopping=self._is_ending,
        )


def exported_metrics(face: FaceSettings) -> PrometheusMetrics | None:
    """None when nobody can ask: then nothing is measured either."""
    if face.metrics_port is None:
        return None
    return PrometheusMetrics(MetricsOptions(face.per_application, face.has_aliases, face.has_scope_detail))
