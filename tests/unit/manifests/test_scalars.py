from __future__ import annotations

import pytest
import yaml

from updater.manifests.scalars import is_plain_safe, reads_as_other_type, render_string

_OTHER_TYPES = (
    *("y", "N", "yes", "No", "TRUE", "off", "On", "null", "NULL", "~", "=", "<<", ""),
    *("0", "010", "1_000", "+7", "-3", "0b101", "0o17", "0x1F", "1234567"),
    *("1.", ".5", "1.20", "1.5e3", "12e4567", "1e-5", ".inf", "-.Inf", ".NaN", "1_0.5"),
    *("12:30", "1:02:03.5", "2024-05-01", "2024-5-1t10:00:00Z", "2024-05-01 10:00:00"),
)
_STRINGS = ("1.2.3", "v1.0", "1.20-alpine", "latest", "abc1234", "12e45g", "2024-05", "2024.05.01", "0x", "e12", "1e")


@pytest.mark.parametrize("text", _OTHER_TYPES)
def test_what_some_reader_takes_for_another_type_is_not_plain(text: str) -> None:
    assert reads_as_other_type(text)
    assert render_string(text) == f'"{text}"'


@pytest.mark.parametrize("text", _STRINGS)
def test_versions_and_names_stay_plain(text: str) -> None:
    assert render_string(text) == text
    assert yaml.safe_load(text) == text


@pytest.mark.parametrize(
    "text",
    ["a: b", "a #b", "a:", "- a", "-a", "#a", "? a", ": a", "&a", "*a", "!a", "|a", ">a", "%a", "@a", "`a", "'a", '"a'],
)
def test_what_means_something_to_yaml_is_quoted(text: str) -> None:
    assert not is_plain_safe(text, in_flow=False)
    assert yaml.safe_load(render_string(text)) == text


@pytest.mark.parametrize("text", ["repo/a,b", "a[0]", "{a}", "a}", "a?", ":0"])
def test_flow_characters_matter_in_flow_context_only(text: str) -> None:
    assert not is_plain_safe(text, in_flow=True)
    assert is_plain_safe(text, in_flow=False) is (text[0] != "{")


@pytest.mark.parametrize(
    ("text", "style", "rendered"),
    [
        pytest.param("it's", "'", "'it''s'", id="single quotes are doubled"),
        pytest.param('a"b\\c', '"', '"a\\"b\\\\c"', id="double quotes are escaped"),
        pytest.param("a\nb", "'", '"a\\nb"', id="a line break needs double quotes"),
        pytest.param("a\x85\u2028\ufeffb", "", '"a\\u0085\\u2028\\ufeffb"', id="breaks of YAML 1.1 are escaped"),
        pytest.param("v2", "|", "v2", id="a block scalar becomes plain"),
        pytest.param("ключ", "", "ключ", id="letters of any script stay plain"),
        pytest.param("---", "", '"---"', id="a document marker"),
        pytest.param(" a", "", '" a"', id="an outer blank"),
        pytest.param("a\tb", "", '"a\\tb"', id="a tab, which PyYAML reads inside of quotes only"),
    ],
)
def test_a_string_keeps_the_style_where_it_can(text: str, style: str, rendered: str) -> None:
    assert render_string(text, style=style) == rendered
    assert yaml.safe_load(rendered) == text
