"""No credential survives redaction, wherever it stands in a text from outside."""

from __future__ import annotations

import base64
import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.transport.redaction import MASK, Secret, cap_text, escape_controls, redact, summarize_html

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="@/"), max_size=30)
BOUNDARY = st.sampled_from(["", " ", "\n", '"', "'", ": ", "=", ",", "(", "["])
SEGMENT = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=8, max_size=60)


@st.composite
def jwts(draw: st.DrawFn) -> tuple[str, str, str]:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": draw(SEGMENT)}).encode()).decode().rstrip("=")
    return header, draw(SEGMENT), draw(SEGMENT)


@given(jwts(), BOUNDARY, BOUNDARY, WORDS, WORDS)
def test_no_segment_of_a_jwt_survives(
    token: tuple[str, str, str], left: str, right: str, before: str, after: str
) -> None:
    prefix = f"{before} " if not left else f"{before}{left}"
    shown = redact(f"{prefix}{'.'.join(token)}{right or ' '}{after}")
    assert not any(segment in shown for segment in token if segment not in before + after)


@given(st.sampled_from(["Basic", "Bearer", "basic", "BEARER"]), SEGMENT, WORDS)
def test_no_authorization_value_survives(scheme: str, value: str, after: str) -> None:
    shown = redact(f"Authorization: {scheme} {value} {after}")
    assert f"{scheme} {MASK}" in shown
    assert value not in shown or value in after


PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=4, max_size=20)


@given(
    st.sampled_from(["http", "https", "ssh", "socks5"]), SEGMENT, PASSWORDS, st.sampled_from(["", "/path", ":8080/"])
)
def test_no_user_info_of_a_url_survives(scheme: str, user: str, password: str, rest: str) -> None:
    shown = redact(f"GET {scheme}://{user}:{password}@host.test{rest} failed")
    assert shown == f"GET {scheme}://{MASK}@host.test{rest} failed"


@given(st.text(min_size=3, max_size=40).filter(lambda text: text not in MASK), WORDS, WORDS)
def test_no_known_secret_survives(secret: str, before: str, after: str) -> None:
    shown = redact(f"{before}{secret}{after}", [secret])
    assert secret not in shown or secret in MASK or _spans_the_mask(secret)


def _spans_the_mask(secret: str) -> bool:
    """A secret made of the mask's own characters and neighbours may be there again; it says nothing then."""
    return "*" in secret


@given(st.text())
def test_redaction_never_fails_and_repeats_itself(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(), st.integers(min_value=1, max_value=400))
def test_capped_text_is_one_short_printable_line(text: str, limit: int) -> None:
    shown = cap_text(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert shown == shown.strip()


@given(st.text())
def test_a_page_is_summarised_in_one_short_line(text: str) -> None:
    shown = summarize_html(text)
    assert len(shown) <= 120
    assert shown.isprintable()


@pytest.mark.parametrize("word", ["a.", "a.b-", "eyJaaaaa-", "eyJaaaaa.", "a://", "Basic ", "Bearer x ", "x@"])
def test_a_megabyte_from_outside_is_redacted_in_linear_time(word: str) -> None:
    # Quadratic time would be hours here: the limit of every test is what fails.
    redact(word * (1_000_000 // len(word)))


@given(jwts(), SEGMENT)
def test_a_jwt_behind_a_dash_does_not_survive(token: tuple[str, str, str], before: str) -> None:
    shown = redact(f"{before}-{'.'.join(token)}")
    assert not any(segment in shown for segment in token if segment not in before)


@given(st.text())
def test_escaped_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    shown = escape_controls(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_a_page_is_summarised_by_what_it_says() -> None:
    page = "<html><head><style>p{}</style><script>alert(1)</script></head><body><h1>Sign in</h1>\n<p>now</p></body>"
    assert summarize_html(page) == "Sign in now"


@given(st.text(min_size=4).filter(lambda text: text not in "Secret('***')"))
def test_a_secret_shows_itself_nowhere(value: str) -> None:
    secret = Secret(value)
    assert value not in f"{secret} {secret!r} {secret:}".replace(" ", "") or value.isspace()
    assert secret == Secret(value)
    assert hash(secret) == hash(Secret(value))
    assert secret.reveal() == value


def test_a_secret_is_not_pickled_or_copied_away() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hidden"))
    with pytest.raises(TypeError):
        copy.copy(Secret("hidden"))


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
    assert (str(Secret("")), repr(Secret(""))) == ("", "Secret('')")
