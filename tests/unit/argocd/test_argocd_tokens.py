from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.argocd.tokens import (
    StaticToken,
    TokenClaims,
    TokenSource,
    clean_token,
    expiry_warning,
    read_claims,
)
from updater.errors import ConfigurationError
from updater.transport.redaction import Secret

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def jwt(claims: object) -> Secret:
    return Secret(f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln")


PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'"), min_size=1)


@given(PRINTABLE.filter(lambda text: text.lower() != "bearer"), st.sampled_from(["", " ", "\n", "\r\n", "\t "]))
def test_a_good_token_is_kept_as_it_is(token: str, around: str) -> None:
    for text in (token, f'"{token}"', f"'{token}'", f"Bearer {token}"):
        assert clean_token(f"{around}{text}{around}", "x").reveal() == token


@given(st.text())
def test_any_text_is_one_sendable_word_or_refused_unseen(text: str) -> None:
    try:
        token = clean_token(text, "the origin").reveal()
    except ConfigurationError as error:
        line = str(error)
    else:
        line = ""
        assert all("!" <= character <= "~" for character in token)
    assert not line or line.startswith("the origin: the Argo CD token is not one word")


@given(st.text())
def test_any_text_has_claims_or_none(text: str) -> None:
    assert isinstance(read_claims(Secret(text)), TokenClaims)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_expiry_is_a_moment_or_none(value: object) -> None:
    claims = read_claims(jwt({"exp": value, "sub": value}))
    assert claims.is_jwt
    assert expiry_warning(claims, NOW) is not None


WARNINGS = {
    "never": (TokenClaims(True), ""),
    "a year": (TokenClaims(True, "", NOW + timedelta(days=365)), ""),
    "just over a week": (TokenClaims(True, "", NOW + timedelta(days=7)), ""),
    "under a week": (
        TokenClaims(True, "updater:apiKey", NOW + timedelta(days=6)),
        "the Argo CD token expires on 2026-11-07 12:00 UTC",
    ),
    "a login session": (
        TokenClaims(True, "updater:login", NOW + timedelta(hours=1)),
        "the Argo CD token expires on 2026-11-01 13:00 UTC; it is a login session's, use an API key",
    ),
    "this second": (TokenClaims(True, "", NOW), "the Argo CD token expired on 2026-11-01 12:00 UTC"),
    "long ago": (TokenClaims(True, "", NOW - timedelta(days=400)), "the Argo CD token expired on 2025-09-27 12:00 UTC"),
}


@pytest.mark.parametrize(("claims", "text"), WARNINGS.values(), ids=WARNINGS)
def test_expiry_is_warned_of_in_its_last_week(claims: TokenClaims, text: str) -> None:
    assert expiry_warning(claims, NOW) == text


CLAIMS = {
    "an API key": ({"sub": "updater:apiKey"}, TokenClaims(True, "updater:apiKey")),
    "with an end": ({"sub": "a", "exp": 1_800_000_000}, TokenClaims(True, "a", datetime.fromtimestamp(1.8e9, UTC))),
    "a fraction": ({"exp": 1.5}, TokenClaims(True, "", datetime.fromtimestamp(1.5, UTC))),
    "an end that is true": ({"exp": True}, TokenClaims(True)),
    "an end in text": ({"exp": "tomorrow"}, TokenClaims(True)),
    "an end beyond time": ({"exp": 1e300}, TokenClaims(True)),
    "a subject that is a number": ({"sub": 7}, TokenClaims(True)),
    "no object": ([1], TokenClaims()),
}


@pytest.mark.parametrize(("claims", "expected"), CLAIMS.values(), ids=CLAIMS)
def test_claims_are_read_without_trust(claims: object, expected: TokenClaims) -> None:
    assert read_claims(jwt(claims)) == expected


def test_a_static_token_is_never_renewed() -> None:
    source: TokenSource = StaticToken("abc", "ARGOCD_TOKEN")
    assert source.current() == Secret("abc")
    assert not source.renewed(source.current())
    assert "abc" not in repr(source.current())
