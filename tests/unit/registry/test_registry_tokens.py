from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.clock import SystemClock
from updater.errors import RegistryProtocolError
from updater.registry.answers import Answer
from updater.registry.token_messages import TokenKey, parse_token, token_url

REALM = "https://auth.test/token"


def usable_s(clock: Any, fields: dict[str, object]) -> float:
    body = json.dumps({"token": "t", **fields}).encode()
    return parse_token(Answer(200, body=body), REALM, clock).expires_at_s - clock.monotonic_s()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        pytest.param({}, 54, id="no lifetime: a minute less a tenth"),
        pytest.param({"expires_in": 5}, 54, id="at least a minute"),
        pytest.param({"expires_in": 300}, 270, id="thirty seconds of leeway"),
        pytest.param({"expires_in": "300"}, 54, id="a text is no number"),
        pytest.param({"expires_in": True}, 54, id="a truth is no number"),
        pytest.param({"expires_in": 300, "issued_at": "2026-02-28T23:58:20Z"}, 180, id="issued a while ago"),
        pytest.param({"expires_in": 300, "issued_at": "2026-03-01T00:01:00Z"}, 270, id="a clock ahead never lengthens"),
        pytest.param({"expires_in": 300, "issued_at": "2026-02-28T20:00:00Z"}, 270, id="a clock far off is ignored"),
        pytest.param({"expires_in": 300, "issued_at": "yesterday"}, 270, id="unreadable date"),
        pytest.param({"expires_in": 300, "issued_at": "2026-02-28T23:59:00"}, 270, id="date without offset"),
    ],
)
def test_a_token_is_used_until_shortly_before_it_expires(clock: Any, fields: dict[str, object], seconds: float) -> None:
    assert usable_s(clock, fields) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"access_token": "hunter1", "token": "hunter2"}, "hunter1"),
        ({"token": "hunter2"}, "hunter2"),
        ({"access_token": "", "token": "hunter2"}, "hunter2"),
    ],
    ids=["access_token first", "token alone", "empty access_token"],
)
def test_the_token_is_one_of_two_fields(clock: Any, fields: dict[str, str], value: str) -> None:
    token = parse_token(Answer(200, body=json.dumps(fields).encode()), REALM, clock)
    assert token.value.reveal() == value
    assert "hunter" not in repr(token)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "no_token"),
        (b"[]", "no_token"),
        (b'{"token": 5}', "no_token"),
        (b'{"token": "a\\r\\nX: y"}', "no_token"),
        (b"<html>", "bad_response"),
        (b"[" * 100_000, "bad_response"),
    ],
    ids=["empty", "list", "number", "line break", "page", "deep"],
)
def test_an_answer_without_a_token_is_an_error(clock: Any, body: bytes, code: str) -> None:
    with pytest.raises(RegistryProtocolError) as raised:
        parse_token(Answer(200, body=body), REALM, clock)
    assert raised.value.code == code


@given(
    st.dictionaries(
        st.sampled_from(["expires_in", "issued_at"]),
        st.none() | st.floats() | st.integers() | st.text() | st.booleans(),
    )
)
def test_no_lifetime_breaks_the_reader(fields: dict[str, object]) -> None:
    assert 0 < usable_s(SystemClock(), fields) <= 24 * 3600


@pytest.mark.parametrize(
    ("realm", "scopes", "account", "expected"),
    [
        pytest.param("https://a.test/t", ("repository:x:pull",), "", "?service=s&scope=repository:x:pull", id="scope"),
        pytest.param("https://a.test/t", ("a", "b"), "", "?service=s&scope=a&scope=b", id="scopes are repeated"),
        pytest.param("https://a.test/t?k=v", ("a",), "", "?k=v&service=s&scope=a", id="own query is kept"),
        pytest.param("https://a.test/t", (), "o&m", "?service=s&account=o%26m", id="account is encoded"),
    ],
)
def test_the_token_url(realm: str, scopes: tuple[str, ...], account: str, expected: str) -> None:
    key = TokenKey("https://r.test:443", realm, "s", scopes, "id")
    assert token_url(key, account) == f"https://a.test/t{expected}"
