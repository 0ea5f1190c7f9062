"""Addresses to listen on: their grammar, and what is said when one cannot be had."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.addresses import Address, bind_socket, parse_address
from updater.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("127.0.0.1:8092", Address("127.0.0.1", 8092), id="ipv4"),
        pytest.param("[::1]:8092", Address("::1", 8092), id="ipv6"),
        pytest.param(":8092", Address("", 8092), id="all interfaces"),
        pytest.param("localhost:0", Address("localhost", 0), id="a port of the system's choice"),
        pytest.param(" status.internal:65535 ", Address("status.internal", 65_535), id="a name"),
    ],
)
def test_an_address_is_host_and_port(text: str, expected: Address) -> None:
    assert parse_address(text, "--status-addr") == expected
    assert parse_address(str(expected), "--status-addr") == expected


@pytest.mark.parametrize(
    "text", ["", "8092", "host", "::1:8092", "h:65536", "h:-1", "h:x", "http://h:1", "h/x:1", "a:1:2"]
)
def test_anything_else_is_refused_with_the_settings_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--status-addr") as caught:
        parse_address(text, "--status-addr")
    assert caught.value.code == "bad_address"


@given(st.text(max_size=40))
def test_no_text_crashes_the_grammar(text: str) -> None:
    try:
        address = parse_address(text, "--status-addr")
    except ConfigurationError:
        return
    assert parse_address(str(address), "") == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "LocalHost"])
def test_loopback_is_known_by_the_address_alone(host: str) -> None:
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org"])  # noqa: S104 - told apart
def test_everything_else_is_reachable_from_elsewhere(host: str) -> None:
    assert not Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_port_that_is_taken_is_port_in_use(host: str) -> None:
    with closing(bind_socket(Address("127.0.0.1", 0), "")) as first:
        taken = Address(host, first.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"--metrics-port: cannot listen on .*already in use") as caught:
            bind_socket(taken, "--metrics-port")
    assert caught.value.code == "port_in_use"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"--status-addr: cannot listen on 192\.0\.2\.1:8092") as caught:
        bind_socket(Address("192.0.2.1", 8092), "--status-addr")
    assert caught.value.code == "port_in_use"


def test_all_interfaces_take_both_families() -> None:
    with closing(bind_socket(Address("", 0), "")) as bound:
        port = bound.getsockname()[1]
        for host in ("127.0.0.1", "::1") if socket.has_ipv6 and bound.family == socket.AF_INET6 else ("127.0.0.1",):
            with closing(socket.create_connection((host, port), timeout=5)) as peer:
                assert peer.getpeername()[1] == port
