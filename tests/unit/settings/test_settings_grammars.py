"""How values of flags and variables are read (``runtime.md`` 1.2)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import ConfigurationError
from updater.settings.grammars import Unreadable, read_flag, read_variable
from updater.settings.model import Bounds, Kind, Option, Value
from updater.transport.redaction import Secret


def option(kind: Kind, *, bounds: Bounds | None = None, is_secret: bool = False, separator: str = "") -> Option:
    return Option(
        "thing",
        kind,
        None,
        "",
        variable="THING",
        bounds=bounds,
        is_secret=is_secret,
        variable_separator=separator,
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param(Kind.BOOL, "T", True, id="a single capital letter is a boolean"),
        pytest.param(Kind.BOOL, "0", False, id="a digit is a boolean"),
        pytest.param(Kind.INT, "0x10", 16, id="hexadecimal"),
        pytest.param(Kind.INT, "017", 15, id="a leading zero is octal"),
        pytest.param(Kind.INT, "0b11", 3, id="binary"),
        pytest.param(Kind.INT, "0o17", 15, id="octal with a letter"),
        pytest.param(Kind.INT, "1_000", 1000, id="underscores between digits"),
        pytest.param(Kind.INT, "-5", -5, id="a sign"),
        pytest.param(Kind.INT, "0", 0, id="zero"),
        pytest.param(Kind.DURATION, "1h2m3s", 3723.0, id="groups of a duration"),
        pytest.param(Kind.STRING, " x ", " x ", id="blanks of a text stay"),
        pytest.param(Kind.LIST, 'a,"b,c", d', ("a", "b,c", " d"), id="a list is a CSV record and keeps blanks"),
        pytest.param(Kind.LIST, "", (), id="an empty list adds nothing"),
        pytest.param(Kind.ARRAY, "a,b", ("a,b",), id="commas mean nothing in an array"),
    ],
)
def test_a_flag_is_read_as_go_reads_it(kind: Kind, text: str, value: Value) -> None:
    assert read_flag(option(kind), (text,)) == value


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        pytest.param(Kind.BOOL, "yes", "bad_bool", id="yes is no boolean"),
        pytest.param(Kind.BOOL, "", "bad_bool", id="nothing is no boolean"),
        pytest.param(Kind.BOOL, "tRUE", "bad_bool", id="odd capitals"),
        pytest.param(Kind.INT, "many", "bad_int", id="a word"),
        pytest.param(Kind.INT, "1.5", "bad_int", id="a fraction"),
        pytest.param(Kind.INT, "9223372036854775808", "bad_int", id="over 64 bits"),
        pytest.param(Kind.INT, "09", "bad_int", id="no octal digit"),
        pytest.param(Kind.DURATION, "120", "bad_duration", id="no unit"),
        pytest.param(Kind.DURATION, "2d", "bad_duration", id="days"),
        pytest.param(Kind.LIST, 'a,"b', "bad_configuration", id="an open quote"),
    ],
)
def test_a_bad_flag_is_an_error_that_names_it(kind: Kind, text: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_flag(option(kind), (text,))
    assert caught.value.code == code
    assert f'invalid argument "{text}" for "--thing" flag' in str(caught.value)


def test_a_secret_is_not_repeated_in_its_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_flag(option(Kind.LIST, is_secret=True), ('planted,"',))
    assert "planted" not in str(caught.value)


def test_lists_accumulate_and_the_last_scalar_wins() -> None:
    assert read_flag(option(Kind.LIST), ("a,b", "c")) == ("a", "b", "c")
    assert read_flag(option(Kind.INT), ("1", "2")) == 2


def test_a_flag_outside_its_range_has_the_code_of_the_range() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_flag(option(Kind.INT, bounds=Bounds(0, 65_535, code="bad_port")), ("70000",))
    assert caught.value.code == "bad_port"
    assert "0 to 65535" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param(Kind.BOOL, "TRUE", True, id="any letter case"),
        pytest.param(Kind.BOOL, "", None, id="an empty boolean is unset"),
        pytest.param(Kind.STRING, "", None, id="an empty text is unset"),
        pytest.param(Kind.INT, "", None, id="an empty number is unset"),
        pytest.param(Kind.INT, "12", 12, id="a number"),
        pytest.param(Kind.DURATION, "1.5m", 90.0, id="a duration"),
        pytest.param(Kind.LIST, "a, b,,c", ("a", "b", "c"), id="a list"),
        pytest.param(Kind.LENIENT_BOOL, "", True, id="a lenient boolean that is empty is on"),
        pytest.param(Kind.LENIENT_BOOL, "YES", True, id="a lenient boolean knows yes"),
        pytest.param(Kind.LENIENT_BOOL, "off", False, id="everything else switches a lenient boolean off"),
    ],
)
def test_a_variable_has_its_own_rules(kind: Kind, text: str, value: Value) -> None:
    assert read_variable(option(kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param(Kind.BOOL, "1", id="a digit for a boolean"),
        pytest.param(Kind.INT, "0x10", id="no hexadecimal numbers in variables"),
        pytest.param(Kind.INT, "101", id="above the range"),
        pytest.param(Kind.INT, "9" * 5000, id="absurdly long"),
        pytest.param(Kind.DURATION, "120", id="no unit"),
        pytest.param(Kind.DURATION, "-1s", id="below the range"),
    ],
)
def test_a_bad_variable_is_reported_and_not_raised(kind: Kind, text: str) -> None:
    assert isinstance(read_variable(option(kind, bounds=Bounds(0, 100)), text), Unreadable)


def test_headers_stand_one_per_line_in_a_variable() -> None:
    headers = read_variable(option(Kind.ARRAY, is_secret=True, separator="\n"), "A: 1, 2\r\n\nB: 3")
    assert headers == (Secret("A: 1, 2"), Secret("B: 3"))


@given(st.sampled_from(list(Kind)), st.text(), st.booleans())
def test_no_text_crashes_a_grammar(kind: Kind, text: str, is_secret: bool) -> None:  # noqa: FBT001 - drawn
    row = option(kind, bounds=Bounds(0, 100), is_secret=is_secret)
    read_variable(row, text)
    if kind is Kind.LENIENT_BOOL:
        return
    with contextlib.suppress(ConfigurationError):
        read_flag(row, (text,))


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_integer_reads_back_in_every_base(number: int) -> None:
    for text in (str(number), f"{number:#x}", f"{number:#b}", f"{number:#o}"):
        assert read_flag(option(Kind.INT), (text,)) == number
