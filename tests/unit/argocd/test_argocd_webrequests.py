from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.argocd.address import parse_address
from updater.argocd.webrequests import WebRequest, WireOptions, encode_timeout, request_headers, secret_values
from updater.errors import ConfigurationError
from updater.playground.frames import parse_timeout_s

TIMEOUTS = {
    "a second": (1.0, "1000m"),
    "a fraction is rounded up": (0.0001, "1m"),
    "nothing left": (0.0, "1m"),
    "the longest in milliseconds": (99_999.999, "99999999m"),
    "longer": (100_000.0, "100000S"),
    "longer than eight digits": (1e12, "99999999S"),
}


@pytest.mark.parametrize(("seconds", "text"), TIMEOUTS.values(), ids=TIMEOUTS)
def test_a_timeout_has_at_most_eight_digits_and_a_unit(seconds: float, text: str) -> None:
    assert encode_timeout(seconds) == text


@given(st.floats(min_value=0, max_value=99_999_999))
def test_a_server_never_reads_less_time_than_there_is(seconds: float) -> None:
    assert seconds <= parse_timeout_s(encode_timeout(seconds)) <= max(0.001, seconds * 1.001) + 1


OPTIONS = WireOptions(parse_address("argo.test"), "ours/1", headers=(("X-Access", "secret-1"), ("X-On", "yes")))


def test_metadata_becomes_headers_with_repeated_names_joined() -> None:
    request = WebRequest("/a/B", b"", metadata=(("X-A", "1"), ("x-a", "2"), ("x-bin", b"\x00\xff"), ("x-raw", b"raw")))
    headers = request_headers(OPTIONS, request)
    assert {name: headers[name] for name in ("x-a", "x-bin", "x-raw")} == {"x-a": "1,2", "x-bin": "AP8", "x-raw": "raw"}
    assert "Grpc-Timeout" not in headers


def test_values_worth_hiding_are_those_of_headers_and_metadata() -> None:
    request = WebRequest("/a/B", b"", metadata=(("token", "secret-2"), ("x", "1"), ("y-bin", b"bytes")))
    assert set(secret_values(OPTIONS, request)) == {"secret-1", "secret-2"}


def test_bytes_that_are_no_ascii_are_refused_outside_binary_names() -> None:
    with pytest.raises(ConfigurationError, match="header x-raw"):
        request_headers(OPTIONS, WebRequest("/a/B", b"", metadata=(("x-raw", b"\xff\xfe"),)))


def test_secrets_stay_out_of_reprs() -> None:
    request = WebRequest("/a/B", b"secret-3", metadata=(("token", "secret-2"),))
    assert "secret" not in f"{OPTIONS!r} {request!r}"
