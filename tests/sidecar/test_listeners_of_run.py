"""The listeners of ``run``, in a real runtime against real servers."""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.sidecar.recording import RecordingLog
from updater.assembly.runtime import Runtime, build_runtime
from updater.clock import Deadline, SystemClock
from updater.errors import ConfigurationError
from updater.playground.showcase import Showcase
from updater.schedule.continuous_runner import ContinuousRunner
from updater.settings.parts import ConnectionSettings, FaceSettings, RegistrySettings, RunSettings
from updater.transport.redaction import Secret

pytestmark = pytest.mark.wire
CLOCK = SystemClock()
PATIENCE_S = 20.0


@pytest.fixture
def showcase() -> Iterator[Showcase]:
    with Showcase() as running:
        yield running


Build = Callable[..., Runtime]


class LaterClock(SystemClock):
    """Says that so much time has gone by."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
def build(showcase: Showcase, tmp_path: Path, log: RecordingLog, clock: LaterClock) -> Iterator[Build]:
    registries = tmp_path / "registries.conf"
    registries.write_text(showcase.registries_conf)
    connection = ConnectionSettings(showcase.web.url, is_grpc_web=True, token=Secret(showcase.token))
    built: list[Runtime] = []

    def make(face: FaceSettings | None = None, **settings: object) -> Runtime:
        wanted = RunSettings(
            connection=connection,
            registry=RegistrySettings(conf_path=str(registries)),
            face=face or FaceSettings(health_port=0, metrics_port=0),
            **settings,
        )
        built.append(build_runtime(wanted, log=log, environment={}, clock=clock))
        return built[-1]

    yield make
    for runtime in built:
        runtime.close()


@contextmanager
def running(runtime: Runtime) -> Iterator[threading.Thread]:
    """The runtime at work, until the end of the block."""
    thread = threading.Thread(target=runtime.run)
    thread.start()
    try:
        yield thread
    finally:
        runtime.stop()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def get(runtime: Runtime, name: str, path: str) -> tuple[int, str]:
    port = runtime.addresses[name].port
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = Deadline.after(CLOCK, PATIENCE_S)
    while not holds():
        assert not deadline.has_passed
        CLOCK.wait_s(0.02)


def test_probes_follow_the_life_of_the_process(build: Build) -> None:
    runtime = build(interval_s=60.0)
    runtime.open()
    assert get(runtime, "health", "/healthz") == (200, "OK\n")
    status, reason = get(runtime, "health", "/readyz")
    assert (status, "not warm yet" in reason) == (503, True)
    with running(runtime):
        wait_until(lambda: get(runtime, "health", "/readyz") == (200, "OK\n"))
        runtime.stop()
        status, reason = get(runtime, "health", "/readyz")
        assert (status, "shutting down" in reason) == (503, True)
    assert get(runtime, "health", "/healthz")[0] == 200
    port = runtime.addresses["health"].port
    runtime.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.parametrize(
    ("mode", "seconds", "reason"),
    [
        pytest.param("cycle", 661, "could not be listed for 11m", id="no cycle lists"),
        pytest.param("continuous", 661, "no cycle or attempt has finished for 11m", id="no attempt ends"),
        pytest.param("continuous", 1_261, "could not be listed for 21m", id="nothing lists"),
    ],
)
def test_readiness_ends_when_nothing_has_happened_for_long(
    build: Build, showcase: Showcase, clock: LaterClock, mode: str, seconds: float, reason: str
) -> None:
    runtime = build(interval_s=60.0, mode=mode, is_warmed_up=False)
    runtime.open()
    series = "argocd_image_updater_images_considered_total{"
    with running(runtime):
        wait_until(lambda: get(runtime, "metrics", "/metrics")[1].count(series) == len(showcase.keys))
        if isinstance(runtime._runner, ContinuousRunner):
            assert runtime._runner._dispatcher.wait_done(PATIENCE_S)
        assert get(runtime, "health", "/readyz") == (200, "OK\n")
        clock.ahead_s = seconds
        status, said = get(runtime, "health", "/readyz")
        assert (status, reason in said) == (503, True), said
        assert get(runtime, "health", "/healthz") == (200, "OK\n")
        clock.ahead_s = 0.0


def test_a_cycle_that_takes_long_is_ready_while_its_attempts_end(
    build: Build, showcase: Showcase, clock: LaterClock
) -> None:
    runtime = build(interval_s=60.0, max_concurrency=1, is_warmed_up=False)
    runtime.open()
    said: queue.Queue[tuple[int, str]] = queue.Queue()

    def take_long(*_: object) -> None:
        clock.ahead_s += 661.0

    def look(*_: object) -> None:
        said.put(get(runtime, "health", "/readyz"))
        clock.ahead_s += 661.0
        said.put(get(runtime, "health", "/readyz"))

    showcase.world.before_next("UpdateSpec", take_long)
    showcase.world.before_next("UpdateSpec", look)
    for name in ("web", "worker"):
        showcase.push_release(name, "1.0.1")
    with running(runtime):
        assert said.get(timeout=PATIENCE_S) == (200, "OK\n")
        status, reason = said.get(timeout=PATIENCE_S)
        assert (status, "no cycle or attempt has finished for 11m" in reason) == (503, True), reason
        clock.ahead_s = 0.0


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_attempts_are_timed_once_each(build: Build, showcase: Showcase, mode: str) -> None:
    runtime = build(interval_s=60.0, mode=mode)
    runtime.open()
    counts = [f'update_duration_seconds_count{{application="{key}"}} 1.0' for key in showcase.keys]
    with running(runtime):
        wait_until(lambda: all(count in get(runtime, "metrics", "/metrics")[1] for count in counts))


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_the_series_of_an_application_go_with_it(build: Build, showcase: Showcase, mode: str) -> None:
    runtime = build(interval_s=0.2, mode=mode, is_warmed_up=False)
    runtime.open()
    series = 'images_considered_total{application="argocd/shop-web"}'
    with running(runtime):
        wait_until(lambda: series in get(runtime, "metrics", "/metrics")[1])
        showcase.world.delete("shop-web")
        wait_until(lambda: series not in get(runtime, "metrics", "/metrics")[1])
        assert 'application="argocd/shop-api"' in get(runtime, "metrics", "/metrics")[1]


def test_metrics_say_what_the_settings_ask_for(build: Build) -> None:
    face = FaceSettings(metrics_port=0, per_application=False, has_aliases=False)
    runtime = build(face, is_warmed_up=False)
    runtime.open()
    with running(runtime) as thread:
        thread.join(PATIENCE_S)
        found = get(runtime, "metrics", "/metrics")[1]
    assert "application=" not in found
    assert "images_checked_total" not in found
    assert "argocd_image_updater_update_cycle_last_end_timestamp" in found
    assert "argocd_image_updater_port_exhaustion_degraded 0.0" in found


@pytest.mark.parametrize(
    ("fails", "answer"),
    [pytest.param(True, (503, "PORT-EXHAUSTION"), id="gate on"), pytest.param(False, (200, "OK\n"), id="gate off")],
)
def test_ports_that_run_out_show_on_both_listeners(build: Build, answer: tuple[int, str], *, fails: bool) -> None:
    runtime = build(FaceSettings(health_port=0, metrics_port=0, fails_without_ports=fails), is_warmed_up=False)
    runtime.open()
    for _ in range(7):
        runtime._parts.registries.client.ports.record()
    assert get(runtime, "health", "/healthz") == (200, "OK\n")
    runtime._parts.registries.client.ports.record()
    assert get(runtime, "health", "/healthz") == answer
    assert "argocd_image_updater_port_exhaustion_degraded 1.0" in get(runtime, "metrics", "/metrics")[1]


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_a_new_interval_and_new_secrets_are_taken_over(build: Build, mode: str) -> None:
    runtime = build(FaceSettings(status_addr="127.0.0.1:0"), interval_s=60.0, is_warmed_up=False, mode=mode)
    runtime.open()
    with running(runtime):
        wait_until(lambda: '"up_to_date"' in get(runtime, "status", "/api/v1/applications")[1])
        wait_until(lambda: "one.two" in get(runtime, "status", "/api/v1/applications/argocd/shop-typo")[1])
        polls = runtime._parts.registries.client._polls

        def moments() -> tuple[float, float] | None:
            """Between two nudges, and between two Lists after cuts."""
            runner = runtime._runner
            if runtime._polls is None or not isinstance(runner, ContinuousRunner):
                return None
            return runtime._polls._quiet_s, runner._follower._options.least_gap_s

        assert moments() == ((30.0, 60.0) if mode == "continuous" else None)
        before = runtime._settings
        secret = FaceSettings(secrets=("one.two",))
        shorter = replace(before.registry, interval_s=0.2)
        runtime.reconfigure(replace(before, interval_s=0.2, face=secret, registry=shorter))
        wait_until(lambda: '"intervalSeconds":0.2' in get(runtime, "status", "/api/v1/cycles")[1])
        wait_until(lambda: "one.two" not in get(runtime, "status", "/api/v1/applications/argocd/shop-typo")[1])
        assert polls._share_s == pytest.approx(0.18)
        assert moments() == ((0.1, 0.2) if mode == "continuous" else None)


@pytest.mark.parametrize("mode", ["cycle", "continuous"])
def test_the_status_says_why_the_fleet_cannot_be_listed(build: Build, showcase: Showcase, mode: str) -> None:
    runtime = build(FaceSettings(status_addr="127.0.0.1:0"), interval_s=0.2, is_warmed_up=False, mode=mode)
    runtime.open()
    assert '"trouble":null' in get(runtime, "status", "/api/v1/cycles")[1]
    showcase.world.revoke(showcase.token)
    with running(runtime):
        wait_until(lambda: '"code":"argocd_unauthenticated"' in get(runtime, "status", "/api/v1/cycles")[1])


def test_a_port_that_is_taken_ends_the_start_and_leaves_none_open(build: Build, log: RecordingLog) -> None:
    with closing(socket.create_server(("", 0))) as taken:
        runtime = build(FaceSettings(health_port=0, metrics_port=taken.getsockname()[1]))
        with pytest.raises(ConfigurationError, match="--metrics-port: cannot listen on") as caught:
            runtime.open()
    assert caught.value.code == "port_in_use"
    assert log.events("info") == []


def test_a_listener_that_dies_ends_the_work_in_order(build: Build, log: RecordingLog) -> None:
    runtime = build(interval_s=60.0, is_warmed_up=False)
    runtime.open()
    with running(runtime) as thread:
        wait_until(lambda: get(runtime, "health", "/readyz")[0] == 200)
        (descriptor,) = [each.fileno() for each in runtime._parts.presence._face._listeners if each.name == "metrics"]
        with closing(socket.socket(fileno=os.dup(descriptor))) as same:
            same.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert runtime.lost_listener == "metrics"
    assert log.events("error").count("listener_died") == 1
