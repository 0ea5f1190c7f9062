"""Channels that trust what a server shows: when they are made anew, and when they are closed."""

from __future__ import annotations

import ipaddress
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from updater.argocd.certificates import presented
from updater.argocd.failures import CallFailure, GrpcWebError
from updater.argocd.pinnedcalls import PinnedStreaming, PinnedUnary
from updater.argocd.pins import LEAST_GAP_S, PinHabit, PinnedChannels, was_never_sent
from updater.argocd.trusts import ChannelTrust
from updater.clock import SystemClock
from updater.errors import ConfigurationError
from updater.ports.log import NullLog
from updater.transport.errors import TransportError, TransportFailure

WAIT_S = 20.0
KEY = ec.generate_private_key(ec.SECP256R1())


class StillClock(SystemClock):
    """Time that a test moves."""

    seconds = 0.0

    def monotonic_s(self) -> float:
        return self.seconds


class Server:
    """What looks at a server find, one after the other, and the channels that were made."""

    def __init__(self, *, replaces_same: bool = True) -> None:
        habit = PinHabit("https://argocd.test", "argocd_certificate_changed", replaces_same=replaces_same)
        self.clock = StillClock()
        self.shows: ChannelTrust | Exception = ChannelTrust(b"one", "argocd.test")
        self.looks = 0
        self.gate = threading.Event()
        self.gate.set()
        self.made: list[Channel] = []
        self.log = Warnings()
        self.pins = PinnedChannels(self._fetch, self._make, habit, self.clock, self.log)

    def _fetch(self) -> ChannelTrust:
        self.looks += 1
        self.gate.wait(WAIT_S)
        if isinstance(self.shows, Exception):
            raise self.shows
        return self.shows

    def _make(self, trust: ChannelTrust) -> grpc.Channel:
        self.made.append(Channel("passthrough:nowhere"))
        return self.made[-1]


class Warnings(NullLog):
    def __init__(self) -> None:
        self.events: queue.Queue[str] = queue.Queue()

    def warning(self, event: str, /, **_: Any) -> None:
        self.events.put(event)

    def error(self, event: str, /, *, exception: BaseException | None = None, **_: Any) -> None:
        self.events.put(event)


class Channel(grpc.Channel):
    """Only its end matters here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()

    def _unused(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError((args, kwargs))

    unary_unary = unary_stream = stream_unary = stream_stream = subscribe = unsubscribe = __enter__ = _unused
    __exit__ = _unused


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.gate.set()
    made.pins.close()


def test_one_look_serves_all_calls_until_one_could_not_be_sent(server: Server) -> None:
    first = server.pins.take(WAIT_S)
    assert server.pins.take(WAIT_S) is first
    server.clock.seconds += LEAST_GAP_S
    server.pins.suspect(first)
    second = server.pins.take(WAIT_S)
    assert (second is first, server.looks) == (False, 2)
    assert server.log.events.empty()
    server.pins.suspect(first)
    assert server.pins.take(WAIT_S) is second
    assert server.looks == 2


def test_looks_keep_a_distance_whatever_calls_say(server: Server) -> None:
    first = server.pins.take(WAIT_S)
    for _ in range(5):
        server.pins.suspect(first)
        assert server.pins.take(WAIT_S) is first
    assert server.looks == 1
    server.clock.seconds += LEAST_GAP_S
    assert server.pins.take(WAIT_S) is not first
    assert server.looks == 2


def test_another_certificate_is_said_and_the_old_channel_closes_with_its_last_call(server: Server) -> None:
    used = [server.pins.take(WAIT_S) for _ in range(2)]
    server.shows = ChannelTrust(b"two", "argocd.test")
    server.clock.seconds += LEAST_GAP_S
    server.pins.suspect(used[0])
    following = server.pins.take(WAIT_S)
    assert following.trust.roots == b"two"
    assert server.log.events.get(timeout=WAIT_S) == "argocd_certificate_changed"
    old, new = server.made
    server.pins.give_back(used[0])
    assert not old.closed.is_set()
    server.pins.give_back(used[1])
    server.pins.give_back(following)
    assert (old.closed.is_set(), new.closed.is_set()) == (True, False)
    server.pins.close()
    assert new.closed.is_set()


def test_files_that_say_the_same_leave_the_channel_that_was() -> None:
    server = Server(replaces_same=False)
    first = server.pins.take(WAIT_S)
    for looks in range(2, 5):
        server.clock.seconds += LEAST_GAP_S
        server.pins.suspect(first)
        assert server.pins.take(WAIT_S) is first
        assert (server.looks, len(server.made)) == (looks, 1)
    server.shows = ChannelTrust(b"two")
    server.clock.seconds += LEAST_GAP_S
    server.pins.suspect(first)
    assert server.pins.take(WAIT_S) is not first
    assert server.log.events.get(timeout=WAIT_S) == "argocd_certificate_changed"
    server.pins.close()


def test_a_server_that_is_away_leaves_the_channel_that_was(server: Server) -> None:
    first = server.pins.take(WAIT_S)
    server.shows = TransportError(TransportFailure.CONNECT, "Connection refused")
    server.clock.seconds += LEAST_GAP_S
    server.pins.suspect(first)
    assert server.pins.take(WAIT_S) is first
    assert (server.looks, len(server.made)) == (2, 1)


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        pytest.param(
            TransportError(TransportFailure.CONNECT, "Connection refused"),
            grpc.StatusCode.UNAVAILABLE,
            "Connection refused",
            id="away",
        ),
        pytest.param(TransportError(TransportFailure.TLS, "eof"), grpc.StatusCode.UNAVAILABLE, "eof", id="no TLS"),
        pytest.param(
            ConfigurationError("no PEM file", where="/tls.crt"), grpc.StatusCode.UNAVAILABLE, "/tls.crt", id="file"
        ),
        pytest.param(ZeroDivisionError("planted"), grpc.StatusCode.UNAVAILABLE, "ZeroDivisionError", id="bug"),
    ],
)
def test_without_a_certificate_a_call_fails_with_what_was_met(
    server: Server, failure: Exception, code: grpc.StatusCode, said: str
) -> None:
    server.shows = failure
    with pytest.raises(GrpcWebError) as caught:
        server.pins.take(WAIT_S)
    assert (caught.value.code(), said in caught.value.details()) == (code, True)
    assert server.log.events.empty() is not isinstance(failure, ZeroDivisionError)


def test_callers_who_come_together_wait_for_one_look(server: Server) -> None:
    server.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(server.pins.take, WAIT_S) for _ in range(8)]
        server.gate.set()
        assert len({id(each.result(WAIT_S)) for each in taken}) == 1
    assert server.looks == 1


def test_a_close_wakes_who_waits_and_closes_what_comes_late(server: Server) -> None:
    server.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.pins.take, None)
        server.pins.close()
        with pytest.raises(GrpcWebError, match="closed"):
            waiting.result(WAIT_S)
    server.gate.set()
    for each in threading.enumerate():
        if each.name == "argocd-certificate":
            each.join(WAIT_S)
    assert all(each.closed.is_set() for each in server.made)


@pytest.fixture
def closing() -> Iterator[tuple[PinnedChannels, Callable[[grpc.Channel], grpc.Channel]]]:
    """Channels of the library, and what closes them between their choice and the call."""
    habit = PinHabit("http://argocd.test", "argocd_trust_renewed")
    pins = PinnedChannels(
        lambda: ChannelTrust(None),
        lambda _: grpc.insecure_channel("passthrough:nowhere"),
        habit,
        SystemClock(),
        NullLog(),
    )

    def close(channel: grpc.Channel) -> grpc.Channel:
        pins.close()
        return channel

    yield pins, close
    pins.close()


def test_a_close_between_the_choice_of_a_channel_and_the_call_cancels_the_call(closing: Any) -> None:
    pins, close = closing
    unary = PinnedUnary(pins, SystemClock(), lambda channel: close(channel).unary_unary("/x/Y"))
    with pytest.raises(GrpcWebError) as caught:
        unary(b"", WAIT_S)
    assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_a_close_between_the_choice_of_a_channel_and_the_future_cancels_the_call(closing: Any) -> None:
    pins, close = closing
    unary = PinnedUnary(pins, SystemClock(), lambda channel: close(channel).unary_unary("/x/Y"))
    with pytest.raises(GrpcWebError) as caught:
        unary.future(b"", WAIT_S)
    assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_a_close_between_the_choice_of_a_channel_and_the_stream_cancels_the_stream(closing: Any) -> None:
    pins, close = closing
    stream = PinnedStreaming(pins, lambda channel: close(channel).unary_stream("/x/Y"))(b"")
    for _ in range(2):
        with pytest.raises(GrpcWebError) as caught:
            next(stream)
        assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_a_value_error_over_a_channel_that_is_open_stays_one(closing: Any) -> None:
    pins, _ = closing
    with pytest.raises(ValueError, match="wrong"), pins.calling():
        raise ValueError("wrong")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses; last error: UNKNOWN: ...", True),
        (grpc.StatusCode.UNAVAILABLE, "errors resolving argocd.test:443: [...]", True),
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", False),
        (grpc.StatusCode.UNAVAILABLE, "repo server: failed to connect to all addresses", False),
        (grpc.StatusCode.INTERNAL, "failed to connect to all addresses", False),
    ],
)
def test_only_a_call_without_a_connection_was_never_sent(code: grpc.StatusCode, text: str, *, expected: bool) -> None:
    assert was_never_sent(GrpcWebError(CallFailure(code, text))) is expected
    assert not was_never_sent(grpc.RpcError())


def certificate(common: str, *alternatives: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now, now + timedelta(days=1))
    if alternatives:
        names: list[x509.GeneralName] = [_general(each) for each in alternatives]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER)


def _general(text: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(text)) if text[:1].isdigit() else x509.DNSName(text)


@pytest.mark.parametrize(
    ("encoded", "host", "expected"),
    [
        pytest.param(lambda: certificate("cn", "argo.test", "b.test"), "b.test", "b.test", id="the host itself"),
        pytest.param(lambda: certificate("cn", "Argo.Test"), "argo.test", "argo.test", id="whatever the case"),
        pytest.param(lambda: certificate("cn", "*.test"), "argo.test", "argo.test", id="a wildcard for the host"),
        pytest.param(lambda: certificate("cn", "*.test"), "a.argo.test", "*.test", id="a wildcard for others"),
        pytest.param(lambda: certificate("cn", "10.0.0.1", "a.test"), "10.0.0.1", "10.0.0.1", id="an address"),
        pytest.param(lambda: certificate("cn", "10.0.0.1", "a.test"), "10.0.0.2", "a.test", id="names come first"),
        pytest.param(lambda: certificate("cn", "*.0.0.1"), "10.0.0.1", "*.0.0.1", id="no wildcards of addresses"),
        pytest.param(lambda: certificate("cn.test"), "argo.test", "cn.test", id="the common name alone"),
        pytest.param(lambda: certificate(""), "argo.test", "argo.test", id="no name at all"),
    ],
)
def test_the_name_to_ask_for_is_one_that_the_certificate_holds(
    encoded: Callable[[], bytes], host: str, expected: str
) -> None:
    shown = presented(encoded(), host)
    assert shown.name == expected
    assert shown.pem.startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_certificate_that_cannot_be_read_is_a_failure_of_tls() -> None:
    with pytest.raises(TransportError) as caught:
        presented(b"nonsense", "argo.test")
    assert caught.value.kind is TransportFailure.TLS
