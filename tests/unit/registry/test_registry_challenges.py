from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.registry.challenges import Challenge, parse_challenges, select_challenge

BASIC = Challenge("basic", {"realm": "r"})
BEARER = Challenge("bearer", {"realm": "https://a.test/t"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('Bearer realm="https://a.test/t', [("bearer", {})], id="unclosed quote drops the parameter"),
        pytest.param('realm="x"', [], id="parameter without scheme"),
        pytest.param('Basic, Bearer realm="u"', [("basic", {}), ("bearer", {"realm": "u"})], id="bare scheme first"),
        pytest.param("Bearer realm=,service=s", [("bearer", {"realm": "", "service": "s"})], id="bare empty value"),
        pytest.param('Bearer a="1",A="2"', [("bearer", {"a": "1"})], id="the first of a repeated name counts"),
        pytest.param("Digest abc==", [("digest", {})], id="token68 at the end"),
    ],
)
def test_a_line_is_read_leniently(line: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(c.scheme, c.parameters) for c in parse_challenges([line])] == expected


@given(st.lists(st.text(alphabet=st.sampled_from('Bearer basic=",\\ \tx:/')) | st.text()))
def test_no_header_breaks_the_reader(lines: list[str]) -> None:
    for challenge in parse_challenges(lines):
        assert challenge.scheme
        assert challenge.scheme == challenge.scheme.lower()


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(min_size=0)))
def test_quoted_parameters_survive(parameters: dict[str, str]) -> None:
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
    line = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in escaped.items())
    assert parse_challenges([line]) == (Challenge("bearer", parameters),)


@pytest.mark.parametrize(
    ("offered", "credentials", "chosen"),
    [
        pytest.param([BASIC, BEARER], "known", BEARER, id="bearer before basic"),
        pytest.param([BASIC], "none", None, id="basic needs credentials"),
        pytest.param([Challenge("bearer"), BASIC], "known", BASIC, id="bearer without realm is no way in"),
        pytest.param([Challenge("negotiate")], "known", None, id="foreign scheme"),
    ],
)
def test_the_challenge_that_can_be_answered_is_chosen(
    offered: list[Challenge], credentials: str, chosen: Challenge | None
) -> None:
    assert select_challenge(offered, has_credentials=credentials == "known") == chosen
