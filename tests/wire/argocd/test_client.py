"""The client on both channels: errors by status, reads repeated and writes not, tokens, the anonymous trap."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from transport.raw_peers import RawServer, silent

from generated.application_messages_pb2 import ApplicationQuery, ApplicationUpdateSpecRequest
from updater.argocd.address import parse_address
from updater.argocd.client import ArgoCDClient, CallTimeouts, ClientOptions
from updater.argocd.connect import ConnectionOptions, connect
from updater.argocd.fleet import ArgoCDFleet, FleetOptions
from updater.argocd.overrides import ArgoCDOverrides, OverrideOptions
from updater.argocd.tokens import FileToken, StaticToken, TokenSource
from updater.argocd.webcalls import WireOptions
from updater.clock import Backoff, Deadline, SystemClock
from updater.errors import (
    ArgoCDConflict,
    ArgoCDDenied,
    ArgoCDError,
    ArgoCDExhausted,
    ArgoCDInvalid,
    ArgoCDNotFound,
    ArgoCDProtocolError,
    ArgoCDTimeout,
    ArgoCDUnauthenticated,
    ArgoCDUnavailable,
    ConfigurationError,
)
from updater.model.applications import ApplicationKey
from updater.playground.grpcweb_server import GrpcWebServer
from updater.playground.world import World
from updater.ports.log import NullLog
from updater.telemetry.metrics import MetricsOptions, PrometheusMetrics

pytestmark = pytest.mark.wire

CODE = grpc.StatusCode
WAIT_S = 20.0


class HastyClock(SystemClock):
    """The real clock, but waiting takes no time. ``waits`` is what was waited; ``is_stopping`` ends every wait."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_s = 0.0
        self.waits: list[float] = []
        self.is_stopping = False

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s

    def wait_s(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.ahead_s += seconds
        return not self.is_stopping


class RecordingLog(NullLog):
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def debug(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))

    def info(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))

    def warning(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.events if name == event]


Build = Callable[..., ArgoCDClient]


@pytest.fixture
def hasty() -> HastyClock:
    return HastyClock()


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


@pytest.fixture
def build(channel: grpc.Channel, hasty: HastyClock, log: RecordingLog, token: str) -> Build:
    """``build(tokens)``: a client on the channel under test."""

    def make(tokens: TokenSource | str | None = None) -> ArgoCDClient:
        given = token if tokens is None else tokens
        source = StaticToken(given, "test") if isinstance(given, str) else given
        backoff = Backoff(4, 0.5, 8.0, jitter=0.0)
        return ArgoCDClient(channel, source, ClientOptions("argo.test", read_backoff=backoff), hasty, log)

    return make


@pytest.fixture
def within(hasty: HastyClock) -> Callable[[float], Deadline]:
    return lambda seconds: Deadline.after(hasty, seconds)


Within = Callable[[float], Deadline]

STATUSES: dict[grpc.StatusCode, tuple[type[ArgoCDError], bool, int]] = {
    CODE.CANCELLED: (ArgoCDTimeout, True, 2),
    CODE.UNKNOWN: (ArgoCDProtocolError, False, 2),
    CODE.INVALID_ARGUMENT: (ArgoCDInvalid, False, 1),
    CODE.DEADLINE_EXCEEDED: (ArgoCDTimeout, True, 2),
    CODE.NOT_FOUND: (ArgoCDNotFound, False, 1),
    CODE.ALREADY_EXISTS: (ArgoCDInvalid, False, 1),
    CODE.PERMISSION_DENIED: (ArgoCDDenied, False, 1),
    CODE.RESOURCE_EXHAUSTED: (ArgoCDExhausted, True, 4),
    CODE.FAILED_PRECONDITION: (ArgoCDInvalid, False, 1),
    CODE.ABORTED: (ArgoCDConflict, True, 1),
    CODE.OUT_OF_RANGE: (ArgoCDInvalid, False, 1),
    CODE.UNIMPLEMENTED: (ArgoCDProtocolError, False, 1),
    CODE.INTERNAL: (ArgoCDProtocolError, False, 1),
    CODE.UNAVAILABLE: (ArgoCDUnavailable, True, 4),
    CODE.DATA_LOSS: (ArgoCDProtocolError, False, 1),
    CODE.UNAUTHENTICATED: (ArgoCDUnauthenticated, False, 1),
}
"""Class, whether a writer may try again after a look, and how often a read is sent (argocd-api.md 7.10)."""


def test_the_table_names_every_status() -> None:
    assert set(STATUSES) == set(CODE) - {CODE.OK}


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
def test_a_status_of_a_read_has_its_class_and_its_repeats(
    code: grpc.StatusCode, world: World, build: Build, within: Within
) -> None:
    category, retryable, attempts = STATUSES[code]
    for _ in range(attempts):
        world.reject_next("List", code, "the reason")
    with pytest.raises(ArgoCDError) as caught:
        build().fetch_list(ApplicationQuery(), within(WAIT_S))
    assert type(caught.value) is category
    assert caught.value.retryable is retryable
    assert len(world.calls_of("List")) == attempts
    assert str(caught.value).startswith("listing Applications at argo.test: the reason")


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
def test_a_write_is_sent_once_whatever_its_status(
    code: grpc.StatusCode, world: World, build: Build, within: Within
) -> None:
    category, retryable, _ = STATUSES[code]
    world.reject_next("UpdateSpec", code, "the reason")
    request = ApplicationUpdateSpecRequest(name="shop-web", appNamespace="argocd", project="default")
    request.spec.CopyFrom(world.application("shop-web").spec)
    with pytest.raises(category) as caught:
        build().update_spec(request, within(WAIT_S))
    assert caught.value.retryable is retryable
    assert len(world.calls_of("UpdateSpec")) == 1
    assert str(caught.value).startswith("updating Application argocd/shop-web at argo.test: the reason")


def test_a_read_that_passes_the_second_time_is_answered(
    world: World, build: Build, within: Within, hasty: HastyClock, log: RecordingLog
) -> None:
    world.reject_next("List", CODE.UNAVAILABLE, "starting")
    world.reject_next("List", CODE.UNAVAILABLE, "starting")
    assert len(build().fetch_list(ApplicationQuery(), within(WAIT_S)).items) == 3
    assert hasty.waits == [0.5, 1.0]
    assert [fields["attempt"] for fields in log.named("argocd_read_repeated")] == [1, 2]


def test_a_read_is_not_repeated_into_a_shutdown(world: World, build: Build, within: Within, hasty: HastyClock) -> None:
    hasty.is_stopping = True
    world.reject_next("List", CODE.UNAVAILABLE, "starting")
    with pytest.raises(ArgoCDUnavailable):
        build().fetch_list(ApplicationQuery(), within(WAIT_S))
    assert len(world.calls_of("List")) == 1


def test_a_wait_that_does_not_fit_the_deadline_is_not_begun(
    world: World, build: Build, within: Within, hasty: HastyClock
) -> None:
    for _ in range(4):
        world.reject_next("List", CODE.UNAVAILABLE, "starting")
    with pytest.raises(ArgoCDUnavailable):
        build().fetch_list(ApplicationQuery(), within(1.2))
    assert hasty.waits == [0.5]


def test_too_many_conflicts_are_a_conflict(world: World, build: Build, within: Within) -> None:
    world.conflict_next("UpdateSpec", 10)
    request = ApplicationUpdateSpecRequest(name="shop-web", appNamespace="argocd", project="default", validate=False)
    request.spec.CopyFrom(world.application("shop-web").spec)
    with pytest.raises(ArgoCDConflict) as caught:
        build().update_spec(request, within(WAIT_S))
    assert caught.value.retryable


def test_a_message_over_the_servers_limit_is_not_tried_again(world: World, build: Build, within: Within) -> None:
    world.reject_next("List", CODE.RESOURCE_EXHAUSTED, "grpc: received message larger than max (300 vs. 200)")
    with pytest.raises(ArgoCDExhausted, match="--argocd-max-message-size") as caught:
        build().fetch_list(ApplicationQuery(), within(WAIT_S))
    assert caught.value.code == "argocd_too_large"
    assert not caught.value.retryable
    assert len(world.calls_of("List")) == 1


def expire(world: World, token: str) -> None:
    world.expire_token(token)


def sign_elsewhere(world: World, token: str) -> None:
    del token
    world.rotate_key()


def delete(world: World, token: str) -> None:
    world.revoke(token)


def disable(world: World, token: str) -> None:
    del token
    world.add_account("updater", is_enabled=False)


def forbid_keys(world: World, token: str) -> None:
    del token
    world.add_account("updater", capabilities=("login",))


def remove(world: World, token: str) -> None:
    del token
    world.remove_account("updater")


BAD_TOKENS: dict[str, tuple[Callable[[World, str], None], str]] = {
    "expired": (expire, "the token has expired: make a new one"),
    "of another server": (sign_elsewhere, "belongs to another Argo CD"),
    "deleted": (delete, "the token was deleted in Argo CD"),
    "of a disabled account": (disable, "the account is disabled in Argo CD"),
    "of an account without API keys": (forbid_keys, "capability apiKey"),
    "of an account that is gone": (remove, "was deleted in Argo CD"),
}


@pytest.mark.parametrize(("spoil", "hint"), BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused_with_the_way_out(
    spoil: Callable[[World, str], None], hint: str, world: World, token: str, build: Build, within: Within
) -> None:
    client = build()
    spoil(world, token)
    with pytest.raises(ArgoCDUnauthenticated) as caught:
        client.fetch_list(ApplicationQuery(), within(WAIT_S))
    assert hint in str(caught.value)
    assert token not in str(caught.value)
    assert len(world.calls_of("List")) == 1


def test_a_text_that_is_no_token_is_refused_with_the_way_out(build: Build, within: Within) -> None:
    with pytest.raises(ArgoCDUnauthenticated, match="this is no Argo CD token"):
        build("wrong-token").fetch_list(ApplicationQuery(), within(WAIT_S))


def test_no_token_sends_none_and_says_how_to_give_one(world: World, build: Build, within: Within) -> None:
    with pytest.raises(ArgoCDUnauthenticated, match="set ARGOCD_TOKEN or --argocd-auth-token-file"):
        build("").fetch_list(ApplicationQuery(), within(WAIT_S))
    assert "token" not in world.calls_of("List")[0].metadata


@pytest.mark.parametrize("form", ["{}\n", "  {}  ", '"{}"', "'{}'\n", "Bearer {}", "bearer  {}\r\n", '"Bearer {}"'])
def test_what_is_pasted_around_a_token_is_taken_off(form: str, token: str, build: Build, within: Within) -> None:
    assert build(form.format(token)).fetch_user(within(WAIT_S)).loggedIn


def test_a_token_file_is_read_again_when_it_changes(
    tmp_path: Path, world: World, token: str, build: Build, within: Within
) -> None:
    path = tmp_path / "token"
    path.write_text("not.a.token")
    client = build(FileToken(path))
    with pytest.raises(ArgoCDUnauthenticated):
        client.fetch_list(ApplicationQuery(), within(WAIT_S))
    path.write_text(f"{token}\n")
    assert len(client.fetch_list(ApplicationQuery(), within(WAIT_S)).items) == 3


class StubbornFile(FileToken):
    """A file system that shows changes late: the state of the file looks as it was."""

    def current(self) -> Any:
        if self._seen is None:
            return super().current()
        return self._token


def test_a_refused_token_is_read_again_once_and_the_call_repeated(
    tmp_path: Path, world: World, token: str, build: Build, within: Within, log: RecordingLog
) -> None:
    path = tmp_path / "token"
    path.write_text(token)
    client = build(StubbornFile(path))
    client.fetch_list(ApplicationQuery(), within(WAIT_S))
    world.revoke(token)
    path.write_text(world.issue_token())
    assert len(client.fetch_list(ApplicationQuery(), within(WAIT_S)).items) == 3
    assert log.named("argocd_token_renewed") == [{}]
    assert len(world.calls_of("List")) == 3


def test_a_refused_write_is_sent_again_with_a_renewed_token_because_nothing_was_done(
    tmp_path: Path, world: World, token: str, build: Build, within: Within
) -> None:
    path = tmp_path / "token"
    path.write_text(token)
    client = build(StubbornFile(path))
    client.fetch_user(within(WAIT_S))
    world.revoke(token)
    path.write_text(world.issue_token())
    request = ApplicationUpdateSpecRequest(name="shop-web", appNamespace="argocd", project="default", validate=False)
    request.spec.CopyFrom(world.application("shop-web").spec)
    request.spec.source.helm.parameters[1].value = "9.9.9"
    client.update_spec(request, within(WAIT_S))
    assert world.application("shop-web").spec.source.helm.parameters[1].value == "9.9.9"


def test_a_refused_token_that_is_still_the_same_is_not_sent_again(
    tmp_path: Path, world: World, token: str, build: Build, within: Within
) -> None:
    path = tmp_path / "token"
    path.write_text(token)
    world.revoke(token)
    with pytest.raises(ArgoCDUnauthenticated):
        build(FileToken(path)).fetch_list(ApplicationQuery(), within(WAIT_S))
    assert len(world.calls_of("List")) == 1


def test_an_expiring_token_is_warned_of_once(world: World, build: Build, within: Within, log: RecordingLog) -> None:
    client = build(world.issue_token(lifetime_s=3600))
    client.fetch_user(within(WAIT_S))
    client.fetch_user(within(WAIT_S))
    (warning,) = log.named("argocd_token_expiry")
    assert str(datetime.now(UTC).year) in warning["text"]
    assert "expires on" in warning["text"]


def test_a_lasting_token_is_not_warned_of(build: Build, within: Within, log: RecordingLog) -> None:
    build().fetch_user(within(WAIT_S))
    assert log.named("argocd_token_expiry") == []


def test_the_anonymous_trap_is_an_error_and_no_short_list(world: World, build: Build, within: Within) -> None:
    world.configure(is_anonymous_enabled=True)
    world.allow("*", "applications", "get", "default/shop-web")
    fleet = ArgoCDFleet(build("not.a.token"), FleetOptions())
    with pytest.raises(ArgoCDUnauthenticated, match="the server does not accept the token") as caught:
        fleet.fetch_applications(within(WAIT_S))
    assert "argocd account generate-token" in caught.value.hint
    assert world.calls_of("List") == ()


def test_without_the_trap_the_fleet_says_what_is_wrong_with_the_token(
    world: World, token: str, build: Build, within: Within
) -> None:
    world.expire_token(token)
    with pytest.raises(ArgoCDUnauthenticated, match="the token has expired"):
        ArgoCDFleet(build(), FleetOptions()).fetch_applications(within(WAIT_S))


def test_the_fleet_is_listed_by_project_and_selector(world: World, build: Build, within: Within) -> None:
    options = FleetOptions(projects=("default", "none"), selector="app.kubernetes.io/part-of=shop")
    found = ArgoCDFleet(build(), options).fetch_applications(within(WAIT_S))
    assert [str(snapshot.key) for snapshot in found] == ["argocd/shop-all", "argocd/shop-api", "argocd/shop-web"]
    first, second = world.calls_of("List")
    assert (list(first.request.projects), list(second.request.projects)) == (["default"], ["none"])
    assert not first.request.HasField("refresh")


def test_an_application_that_two_listings_hold_is_in_the_fleet_once(build: Build, within: Within) -> None:
    found = ArgoCDFleet(build(), FleetOptions(projects=("default", "default"))).fetch_applications(within(WAIT_S))
    keys = [str(snapshot.key) for snapshot in found]
    assert keys
    assert len(keys) == len(set(keys))


def store_of(client: ArgoCDClient, log: RecordingLog) -> ArgoCDOverrides:
    return ArgoCDOverrides(client, OverrideOptions(), log)


def test_an_application_that_is_gone_is_not_found(
    world: World, build: Build, within: Within, log: RecordingLog
) -> None:
    with pytest.raises(ArgoCDNotFound, match=r'reading Application argocd/gone at argo.test: .*"gone" not found'):
        store_of(build(), log).fetch_fresh(ApplicationKey("argocd", "gone"), "default", within(WAIT_S))


def test_a_missing_right_to_read_is_denied_with_the_right_to_ask_for(
    world: World, build: Build, within: Within, log: RecordingLog
) -> None:
    world.clear_policies()
    with pytest.raises(ArgoCDDenied, match="applications, get") as caught:
        store_of(build(), log).fetch_fresh(ApplicationKey("argocd", "shop-web"), "default", within(WAIT_S))
    assert "PERMISSION_DENIED" in str(caught.value)


def test_sixteen_threads_share_a_client(world: World, build: Build, within: Within, log: RecordingLog) -> None:
    client = build(world.issue_token(lifetime_s=3600))
    counts: list[int] = []

    def work() -> None:
        counts.extend(len(client.fetch_list(ApplicationQuery(), within(WAIT_S)).items) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3] * 80
    assert len(log.named("argocd_token_expiry")) == 1


def web_client(url: str, open_web: Any, hasty: HastyClock, log: RecordingLog, **options: Any) -> ArgoCDClient:
    return ArgoCDClient(open_web(url), StaticToken("a.b.c", "test"), ClientOptions(url, **options), hasty, log)


def test_retry_after_is_respected(
    web: GrpcWebServer, open_web: Any, hasty: HastyClock, log: RecordingLog, within: Within
) -> None:
    web.faults.answer(429, {"Retry-After": "11"})
    with pytest.raises(ArgoCDUnavailable) as caught:
        web_client(web.url, open_web, hasty, log).fetch_version(within(60))
    assert hasty.waits == [11.0]
    assert caught.value.retry_after_s == 11.0


def test_a_wait_longer_than_the_deadline_is_left_to_the_caller(
    web: GrpcWebServer, open_web: Any, hasty: HastyClock, log: RecordingLog, within: Within
) -> None:
    web.faults.answer(503, {"Retry-After": "600"})
    with pytest.raises(ArgoCDUnavailable) as caught:
        web_client(web.url, open_web, hasty, log).fetch_version(within(60))
    assert hasty.waits == []
    assert caught.value.retry_after_s == 600.0


def test_a_server_that_never_answers_costs_one_deadline_in_all(
    open_web: Any, hasty: HastyClock, log: RecordingLog, within: Within
) -> None:
    with RawServer(silent) as server:
        client = web_client(server.url, open_web, hasty, log, timeouts=CallTimeouts.all_of(0.2))
        with pytest.raises(ArgoCDTimeout) as caught:
            client.fetch_version(within(60))
    assert "--argocd-timeout" in str(caught.value)
    assert server.accepted == 1


def test_an_unreadable_token_file_is_named(tmp_path: Path, build: Build, within: Within) -> None:
    with pytest.raises(ConfigurationError, match="--argocd-auth-token-file") as caught:
        build(FileToken(tmp_path / "none")).fetch_user(within(WAIT_S))
    assert str(tmp_path / "none") in str(caught.value)
    assert os.strerror(2) in str(caught.value)


def test_calls_and_failures_are_counted_by_server() -> None:
    metrics = PrometheusMetrics(MetricsOptions())
    world = World()
    with GrpcWebServer(world) as server:
        counted = server.address
        address = parse_address(server.url)
        client = connect(
            ConnectionOptions(WireOptions(address, "tests/1.0")),
            ClientOptions(str(address)),
            StaticToken(world.issue_token(), "test"),
            SystemClock(),
            NullLog(),
            metrics,
        )
        deadline = Deadline.after(SystemClock(), 5)
        client.fetch_version(deadline)
        world.reject_next("/account.AccountService/CanI", grpc.StatusCode.INVALID_ARGUMENT, "no such action")
        with pytest.raises(ArgoCDInvalid):
            client.fetch_permission("fly", "*/*", deadline)
        client.close()

    text = metrics.render().decode()
    assert f'argocd_image_updater_argocd_api_requests_total{{argocd_server="{counted}"}} 2.0' in text
    assert f'argocd_image_updater_argocd_api_errors_total{{argocd_server="{counted}"}} 1.0' in text
