"""Platforms, label selectors and name patterns beyond the vectors."""

from __future__ import annotations

import pytest

from updater.errors import ConfigurationError
from updater.rules.label_selectors import Operator, SelectorError, parse_label_selector
from updater.rules.name_patterns import compile_name_patterns, split_patterns
from updater.rules.platforms import Platform, make_platform, parse_platform, parse_platform_filter


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/armhf", Platform("linux", "arm", "v7")),
        ("Linux/ARMEL", Platform("linux", "arm", "v6")),
        ("linux/arm64/v8", Platform("linux", "arm64")),
        ("linux/i386", Platform("linux", "386")),
        ("linux/amd64/v3", Platform("linux", "amd64", "v3")),
        ("linux", None),
        ("/amd64", None),
        ("linux/", None),
    ],
)
def test_platform_is_parsed(text: str, platform: Platform | None) -> None:
    assert parse_platform(text) == platform


def test_platform_renders() -> None:
    assert str(make_platform("linux", "arm", "v7")) == "linux/arm/v7"
    assert str(make_platform("linux", "x86_64")) == "linux/amd64"


def test_malformed_items_are_reported_and_match_nothing() -> None:
    wanted = parse_platform_filter(["amd64", ""])
    assert wanted.malformed == ("amd64", "")
    assert wanted.is_restricted
    assert not wanted.accepts(Platform("linux", "amd64"))


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("", {}, True),
        ("a>3", {"a": "4"}, True),
        ("a>3", {"a": "3"}, False),
        ("a<3", {"a": "3"}, False),
        ("a<3", {"a": "2"}, True),
        ("a>3", {"a": "99999999999999999999"}, False),
        ("a in (,)", {"a": ""}, True),
        ("a in (x,)", {"a": ""}, True),
        ("a in (,,)", {"a": ""}, True),
        ("a,b=", {"a": "1", "b": ""}, True),
        ("example.com/a=1", {"example.com/a": "1"}, True),
        ("!a", {}, True),
    ],
)
def test_selector_matches(selector: str, labels: dict[str, str], *, matches: bool) -> None:
    assert parse_label_selector(selector).matches(labels) is matches


@pytest.mark.parametrize(
    ("selector", "kind"),
    [
        ("a in b", "syntax"),
        ("a in (b", "syntax"),
        ("a in (", "syntax"),
        ("a in (=)", "syntax"),
        ("a in (b c)", "syntax"),
        ("a in ((b))", "syntax"),
        ("a=(", "syntax"),
        ("!", "syntax"),
        ("=a", "syntax"),
        ("a=b c", "syntax"),
        ("a<>b", "syntax"),
        ("a/b/c", "key"),
        ("a/=x", "key"),
        ("x" * 64, "key"),
        ("y" * 254 + "/a", "key"),
        ("a in (-b)", "value"),
        ("a>-3", "value"),
        ("a>99999999999999999999", "value"),
        ("a>9999999999999999999", "value"),
    ],
)
def test_selector_mistakes_have_a_kind(selector: str, kind: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_label_selector(selector)
    assert caught.value.kind == kind
    assert caught.value.code == "bad_selector"


def test_requirements_keep_the_spelling_of_their_operator() -> None:
    requirement = parse_label_selector("a==").requirements[0]
    assert (requirement.operator, requirement.values) == (Operator.DOUBLE_EQUALS, ("",))


def test_malformed_name_patterns_are_listed() -> None:
    patterns = compile_name_patterns(["[", "a*", "b["])
    assert patterns.malformed == ("[", "b[")
    assert patterns.malformed_before_match("abc") == ("[",)


def test_name_pattern_flags_are_csv_records() -> None:
    assert split_patterns(['a,"b,c"', "", " d"]) == ("a", "b,c", " d")


def test_broken_csv_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        split_patterns(['"a'])
    assert caught.value.code == "bad_list"
