"""Version texts and precedence."""

from __future__ import annotations

import pytest
import semver

from updater.rules.versions import Version, parse_prerelease, parse_version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("1", (1, 0, 0), id="major"),
        pytest.param("v1.2", (1, 2, 0), id="leading v"),
        pytest.param("01.002.3", (1, 2, 3), id="leading zeros"),
        pytest.param("18446744073709551615.0.0", (2**64 - 1, 0, 0), id="greatest number"),
        pytest.param("0" * 40 + "7", (7, 0, 0), id="zeros without end"),
        pytest.param("1.2.3+build.5", (1, 2, 3), id="metadata"),
    ],
)
def test_release_is_parsed(text: str, numbers: tuple[int, int, int]) -> None:
    version = parse_version(text)
    assert version is not None
    assert version[:3] == numbers
    assert not version.is_prerelease


@pytest.mark.parametrize(
    "text",
    [
        "",
        "V1",
        "1.2.3.4",
        "1.2.x",
        "1_2",
        "1.0.0-01",
        "1.0.0-a.01.b",
        "1.0.0-",
        "1.0.0-a..b",
        " 1.0",
        "1.0\n",
        "18446744073709551616",
        "1.18446744073709551616",
        "1.0.99999999999999999999999999999999",
        "1.0.0-" + "0" * 30,
        "latest",
        "\u0661.2.3",
    ],
)
def test_text_is_no_version(text: str) -> None:
    assert parse_version(text) is None


def test_long_prerelease_is_parsed_like_a_short_one() -> None:
    long = parse_version("1.0.0-rc.12345678901234567890123")
    short = parse_version("1.0.0-rc.9")
    assert long is not None
    assert short is not None
    assert short < long
    assert parse_prerelease("rc.1") == ((1, 0, "rc"), (0, 1, "1"))


def test_version_renders_in_full() -> None:
    assert str(Version(1, 2)) == "1.2.0"
    assert str(parse_version("v1.2-rc.1+x")) == "1.2.0-rc.1"


def test_version_leaves_as_the_type_of_the_library() -> None:
    version = parse_version("v1.2-rc.1")
    assert version is not None
    assert version.to_semver() == semver.Version(1, 2, 0, "rc.1")
