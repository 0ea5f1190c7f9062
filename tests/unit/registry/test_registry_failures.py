from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import RegistryError
from updater.registry.answers import Answer
from updater.registry.failures import broken_exchange, may_be_repeated, refusal, retry_after_s
from updater.transport.errors import TransportError, TransportFailure

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def refused(status: int, body: bytes = b"", *, has_credentials: bool = True) -> RegistryError:
    return refusal(Answer(status, body=body), "r.test/app", NOW, has_credentials=has_credentials)


@pytest.mark.parametrize(
    ("status", "body", "code", "retried"),
    [
        pytest.param(429, b"", "rate_limited", True, id="429"),
        pytest.param(403, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}', "rate_limited", True, id="429 in the body"),
        pytest.param(500, b"", "registry_unavailable", True, id="500"),
        pytest.param(522, b"", "registry_unavailable", True, id="522"),
        pytest.param(408, b"", "registry_unavailable", True, id="408"),
        pytest.param(401, b"", "auth_failed", False, id="401"),
        pytest.param(403, b"", "access_denied", False, id="403"),
        pytest.param(404, b"", "repository_unknown", False, id="404"),
        pytest.param(301, b"", "redirected", False, id="301"),
        pytest.param(418, b"", "request_refused", False, id="other 4xx"),
        pytest.param(501, b"", "request_refused", False, id="501 is no hiccup"),
    ],
)
def test_a_status_means(status: int, body: bytes, code: str, retried: bool) -> None:  # noqa: FBT001 - a table
    error = refused(status, body)
    assert (error.code, may_be_repeated(error, 1)) == (code, retried)


@pytest.mark.parametrize(
    ("kind", "code", "retried"),
    [
        (TransportFailure.DNS, "registry_unreachable", True),
        (TransportFailure.CONNECT, "registry_unreachable", True),
        (TransportFailure.PROXY, "registry_unreachable", True),
        (TransportFailure.RESET, "registry_unreachable", True),
        (TransportFailure.TRUNCATED, "registry_unreachable", True),
        (TransportFailure.TIMEOUT, "registry_timeout", True),
        (TransportFailure.TLS, "registry_tls", False),
        (TransportFailure.CANCELLED, "cancelled", False),
        (TransportFailure.TOO_LARGE, "too_large", False),
        (TransportFailure.PROTOCOL, "bad_response", True),
    ],
)
def test_a_broken_exchange_means(kind: TransportFailure, code: str, retried: bool) -> None:  # noqa: FBT001 - a table
    error = broken_exchange(TransportError(kind), "r.test/app")
    assert (error.code, may_be_repeated(error, 1)) == (code, retried)


def test_the_table_of_broken_exchanges_is_complete() -> None:
    assert {broken_exchange(TransportError(kind), "x").where for kind in TransportFailure} == {"x"}


def test_a_wrong_shape_is_believed_the_second_time() -> None:
    error = broken_exchange(TransportError(TransportFailure.PROTOCOL), "x")
    assert not may_be_repeated(error, 2)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b'{"errors":[{"code":"DENIED","message":"not yours"}]}', "(DENIED not yours)", id="error list"),
        pytest.param(b"<html><body>Go\naway</body></html>", "(Go away)", id="page"),
        pytest.param(b"plain\x00\x1b[31m text", "(plain [31m text)", id="control characters"),
        pytest.param(b"see https://ann:hunter2@r.test/", "https://***@r.test/", id="user info"),
        pytest.param(b"", "HTTP 403;", id="empty"),
        pytest.param(b"x" * 5000, "xxx\u2026)", id="long"),
        pytest.param(b"[" * 100_000, "HTTP 403", id="deep JSON"),
    ],
)
def test_what_the_registry_says_is_shown_capped_and_redacted(body: bytes, said: str) -> None:
    text = str(refused(403, body))
    assert said in text
    assert "hunter2" not in text
    assert len(text) < 500


def test_a_refusal_says_what_to_do() -> None:
    assert "configure credentials" in str(refused(401, has_credentials=False))
    assert refused(401, has_credentials=False).code == "auth_required"
    assert "rejected" in str(refused(401))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("99999", 900.0),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", None),
        ("Sun, 01 Mar 999999999999 11:00:00 GMT", None),
        ("Sun, 01 Mar 2026 12:00:30 -9999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(Answer(429, {"retry-after": (text,)}), NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reader(text: str) -> None:
    seconds = retry_after_s(Answer(429, {"retry-after": (text,)}), NOW)
    assert seconds is None or 0 <= seconds <= 900


@given(st.binary(), st.integers(min_value=300, max_value=599))
def test_no_body_breaks_the_classification(body: bytes, status: int) -> None:
    assert isinstance(refused(status, body), RegistryError)
